import { expect, test } from 'vitest';
import { attach, detach } from '../../../src/xen/index.js';
import { CARD, readyHost } from '../hosts.js';

/** What lets a guest reach a device, in the words of the calls. */
const steps = {
  reset: /^reset /,
  grant: /permission .* true$/,
  assign: /^xc_assign_device 5 /,
  serve: /^model\.attach /,
  withdraw: /^model\.detach /,
  revoke: /permission .* false$/,
  quiet: /^disableBusMaster /,
  deassign: /^xc_deassign_device 5 /,
} as const;

function order(calls: readonly string[]): string[] {
  const names = calls.flatMap((call) => Object.entries(steps).find(([, step]) => step.test(call))?.[0] ?? []);
  return names.filter((name, index) => name !== names[index - 1]);
}

test('L2: reset, grants, assignment, service; and back, bus master off and reset before deassign', async () => {
  const host = await readyHost();
  const first = host.journal.calls.length;
  await attach(host, { domain: '5', spec: CARD });
  const second = host.journal.calls.length;
  await detach(host, { domain: '5', device: CARD });
  expect(order(host.journal.calls.slice(first, second))).toEqual(['reset', 'grant', 'assign', 'serve']);
  expect(order(host.journal.calls.slice(second))).toEqual(['withdraw', 'revoke', 'quiet', 'reset', 'deassign']);
});

test('L2: whichever step fails, none that comes after it was taken', async () => {
  for (const [index, name] of (['reset', 'grant', 'assign', 'serve'] as const).entries()) {
    const rehearsal = await readyHost();
    const start = rehearsal.journal.calls.length;
    await attach(rehearsal, { domain: '5', spec: CARD });
    const failing = rehearsal.journal.calls.slice(start).findIndex((call) => steps[name].test(call));
    const host = await readyHost();
    const first = host.journal.calls.length;
    host.journal.failAt(failing);
    await expect(attach(host, { domain: '5', spec: CARD })).rejects.toThrow('EIO');
    const taken = order(host.journal.calls.slice(first)).filter((step) => step in steps);
    const later = (['reset', 'grant', 'assign', 'serve'] as const).slice(index + 1);
    expect(
      later.filter((step) => taken.includes(step)),
      name,
    ).toEqual([]);
  }
});
