import { expect, test } from 'vitest';
import { attach } from '../../../src/xen/index.js';
import { CARD, readyHost } from '../hosts.js';

const backend = '/local/domain/0/backend/pci/5/0';
const frontend = '/local/domain/5/device/pci/0';

test('X6: the nodes get their owners and permissions in the transaction that makes them', async () => {
  const host = await readyHost();
  const first = host.journal.calls.length;
  await attach(host, { domain: '5', spec: CARD });
  const calls = host.journal.calls.slice(first);
  for (const directory of [backend, frontend]) {
    const made = calls.indexOf(`xs_mkdir ${directory}`);
    const set = calls.indexOf(`xs_set_permissions ${directory}`);
    const firstInside = calls.findIndex((call) => call.startsWith(`xs_write ${directory}/`));
    const committed = calls.indexOf('xs_transaction_end', made);
    expect(made).toBeGreaterThanOrEqual(0);
    expect([made, set, firstInside, committed]).toEqual(
      [made, set, firstInside, committed].toSorted((a, b) => a - b),
    );
  }
  const dump = host.store.dump();
  expect(dump).toContain(`${backend} = ""   (n0,r5)`);
  expect(dump).toContain(`${frontend} = ""   (n5,r0)`);
});
