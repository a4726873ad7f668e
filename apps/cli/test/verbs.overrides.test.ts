import { expect, test, vi } from 'vitest';
import { fakeNetworkCard } from '@xenpt/qmp-sdk/xen/testing';
import { CARD, fakeHost, parse, run } from './run.js';

const SIBLING = '0000:03:00.1';

function grouped() {
  const host = fakeHost({ functions: [fakeNetworkCard, { sbdf: SIBLING, driver: 'igb' }] });
  for (const sbdf of [0x0300, 0x0301]) host.hypervisor.groups.set(sbdf, 1);
  return host;
}

test('a refusal says which rule, why, what was seen, the fix, and what takes the risk', async () => {
  const { exitCode, stderr } = await run(grouped(), 'assignable add 03:00.0');
  expect(exitCode).toBe(4);
  expect(stderr).toMatchInlineSnapshot(`
    "xenpt: 0000:03:00.0 is not assignable: its group also has 0000:03:00.1 (igb)
      group-incomplete: its group also has 0000:03:00.1 (igb)
        why:  The IOMMU or the bridges above cannot keep these functions apart.
        seen: group by Xen: 0000:03:00.0 0000:03:00.1
        fix:  xenpt assignable add 0000:03:00.0 0000:03:00.1
        or:   --accept-siblings
      next: Remove the cause, or take the risk with --accept-siblings.
    "
  `);
});

test('--json: the reasons of the refusal', async () => {
  const { stdout } = await run(grouped(), 'assignable add 03:00.0 --json');
  expect(parse(stdout)).toMatchObject({
    error: { code: 'XENPT_NEEDS_OVERRIDE', reasons: [{ rule: 'group-incomplete', override: 'accept-siblings' }] },
  });
});

test('an override is asked for on a terminal only, shown, and listed afterwards', async () => {
  const host = grouped();
  const before = host.dump();
  const no = vi.fn(() => Promise.resolve(false));
  const declined = await run(host, 'assignable add 03:00.0 --accept-siblings', { confirm: no });
  expect([declined.exitCode, no.mock.calls.length]).toEqual([4, 1]);
  expect(declined.stderr).toContain('group-incomplete: its group also has 0000:03:00.1 (igb) (--accept-siblings)');
  expect(host.dump()).toEqual(before);
  expect((await run(host, 'assignable add 03:00.0 --accept-siblings -y', { confirm: no })).exitCode).toBe(0);
  expect(no).toHaveBeenCalledTimes(1);
  expect((await run(host, 'assignable list')).stdout).toMatch(/accept-siblings +no\n$/);
  expect((await run(host, 'undo --list')).stdout).toMatch(/accept-siblings\n$/);
  expect((await run(host, 'attach 5 03:00.0')).exitCode).toBe(0);
});

test('attach asks for what its own overrides set aside, before it changes anything', async () => {
  const functions = [
    { ...fakeNetworkCard, driver: 'pciback' },
    { sbdf: SIBLING, driver: 'igb' },
  ];
  const host = fakeHost({ functions });
  for (const sbdf of [0x0300, 0x0301]) host.hypervisor.groups.set(sbdf, 1);
  const before = host.dump();
  const no = vi.fn(() => Promise.resolve(false));
  expect((await run(host, 'attach 5 03:00.0', { confirm: no })).exitCode).toBe(4);
  expect(no).not.toHaveBeenCalled();
  const declined = await run(host, 'attach 5 03:00.0 --accept-siblings', { confirm: no });
  expect([declined.exitCode, no.mock.calls.length]).toEqual([4, 1]);
  expect(declined.stderr).toContain('group-incomplete: its group also has 0000:03:00.1 (igb) (--accept-siblings)');
  expect(host.dump()).toEqual(before);
  expect((await run(host, 'attach 5 03:00.0 --accept-siblings --yes', { confirm: no })).exitCode).toBe(0);
  expect(no).toHaveBeenCalledTimes(1);
});

test('detach asks before it takes a device from a guest that is not asked, and only then', async () => {
  const host = fakeHost();
  await run(host, 'assignable add 03:00.0');
  await run(host, 'attach 5 03:00.0');
  const before = host.dump();
  const no = vi.fn(() => Promise.resolve(false));
  const declined = await run(host, 'detach 5 03:00.0 --without-guest', { confirm: no });
  expect([declined.exitCode, declined.stderr]).toEqual([4, expect.stringContaining('the guest is not asked')]);
  expect(host.dump()).toEqual(before);
  const yes = vi.fn(() => Promise.resolve(true));
  expect((await run(host, 'detach 5 03:00.0 --without-guest', { confirm: yes })).exitCode).toBe(0);
  await run(host, 'attach 5 03:00.0');
  expect((await run(host, 'detach 5 03:00.0', { confirm: no })).exitCode).toBe(0);
  expect([no.mock.calls.length, yes.mock.calls.length]).toEqual([1, 1]);
});

test('undo asks for what its own overrides set aside', async () => {
  const host = grouped();
  await run(host, 'assignable add 03:00.0 --accept-siblings');
  host.hypervisor.groups.clear();
  await run(host, 'assignable remove 03:00.0');
  for (const sbdf of [0x0300, 0x0301]) host.hypervisor.groups.set(sbdf, 1);
  const no = vi.fn(() => Promise.resolve(false));
  expect((await run(host, 'undo --accept-siblings', { confirm: no })).exitCode).toBe(4);
  expect(no).toHaveBeenCalledTimes(1);
  expect((await run(host, 'undo --accept-siblings -y', { confirm: no })).exitCode).toBe(0);
});

test('without a terminal nothing asks; without a risk neither', async () => {
  expect((await run(grouped(), 'assignable add 03:00.0 --accept-siblings')).exitCode).toBe(0);
  const never = vi.fn(() => Promise.resolve(false));
  expect((await run(fakeHost(), 'assignable add 03:00.0 --no-reset-ok', { confirm: never })).exitCode).toBe(0);
  expect(never).not.toHaveBeenCalled();
});

test('.* is the whole card: added, attached to slots of their own, detached and given back', async () => {
  const host = grouped();
  const before = host.dump();
  expect((await run(host, 'assignable add 03:00.*')).stdout).toMatch(
    /^0000:03:00\.0 is assignable.*\n0000:03:00\.1 is assignable.*\n$/,
  );
  expect((await run(host, 'attach 5 03:00.*')).stdout).toMatch(/:00\.0 is attached.*:05\.0.*\n.*:00\.1 is .*:06\.0/);
  expect(await run(host, 'attach 5 03:00.*@6')).toMatchObject({ exitCode: 2 });
  await run(host, 'detach 5 03:00.1');
  expect((await run(host, 'detach 5 03:00.*')).stdout).toMatch(/^0000:03:00\.0 is detached[^\n]*\n$/);
  expect((await run(host, 'detach 5 03:00.*')).exitCode).toBe(3);
  await run(host, 'assignable remove 03:00.1');
  expect((await run(host, 'assignable remove 03:00')).stdout).toBe('0000:03:00.0 is bound to e1000e again\n');
  expect((await run(host, 'assignable remove 09:00.*')).exitCode).toBe(3);
  expect(host.dump()).toEqual(before);
});

test('every dialect that names one function names it', async () => {
  for (const device of ['(0000:03:00.0)', '0/0000:03:00.0', 'pci_0000_03_00_0', 'host=03:00.0', 'dom0:03_00.0']) {
    expect([device, (await run(fakeHost(), `show ${device}`)).exitCode]).toEqual([device, 0]);
  }
});

test('what takes longer than a second is told on the terminal, and taken away again', async () => {
  const host = fakeHost();
  const shown: string[] = [];
  const line = run(host, 'assignable add 03:00.0', { statusLine: (text) => void shown.push(text) });
  await line;
  expect(shown).toEqual([]);
  vi.useFakeTimers();
  try {
    host.faultPoint = (point) => {
      if (point === 'unbind-pciback:before') vi.advanceTimersByTime(1500);
    };
    await run(host, 'assignable remove 03:00.0', { statusLine: (text) => void shown.push(text) });
  } finally {
    vi.useRealTimers();
  }
  expect(shown[0]).toBe('unbind from pciback …');
  expect(shown.at(-1)).toBe('');
  expect(host.sysfs.dump()).toContain(`${CARD} driver e1000e`);
});
