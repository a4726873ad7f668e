import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addAssignable,
  applyPersist,
  listAssignable,
  listInventory,
  planForget,
  planPersist,
  removeAssignable,
  restoreAssignable,
} from '../../src/xen/index.js';
import { readAssignments } from '../../src/xen/assignments.js';
import { type FakeHost, fakeNetworkCard } from '../../src/xen/testing/index.js';
import { CARD, failure, hostWith } from './hosts.js';

const options = { command: ['/usr/bin/node', '/opt/xen pt/xenpt.js'] };
const OTHER_CARD = 0x1539;
const FILE = '/etc/xenpt/assignments.json';

function withFolders(...folders: readonly string[]): FakeHost {
  const host = hostWith();
  for (const folder of folders) mkdirSync(host.sysfs.root + folder, { recursive: true });
  return host;
}

function keep(host: FakeHost): FakeHost {
  applyPersist(host, planPersist(host, ['03:00.0'], options));
  return host;
}

/** A restart: xenstore and bindings are as the kernel makes them. */
async function restart(host: FakeHost): Promise<void> {
  await removeAssignable(host, CARD);
  host.bootId = 'b0070000-0000-4000-8000-000000000002';
}

const read = (host: FakeHost, path: string) => readFileSync(host.sysfs.root + path, 'utf8');

test('writes what finds the card by what it is and where it is plugged in; its address decides nothing', () => {
  const host = keep(withFolders('/etc/systemd/system', '/etc/initramfs-tools', '/etc/dracut.conf.d'));
  expect(read(host, '/etc/udev/rules.d/60-xenpt.rules').split('\n')[2]).toBe(
    'ACTION=="add", SUBSYSTEM=="pci", DEVPATH=="/devices/pci0000:03/0000:??:00.0", ATTR{vendor}=="0x8086", ' +
      'ATTR{device}=="0x10d3", ATTR{subsystem_vendor}=="0x8086", ATTR{subsystem_device}=="0x0000", ' +
      'ATTR{class}=="0x020000", ATTR{driver_override}="pciback"',
  );
  expect(read(host, '/etc/modprobe.d/xenpt.conf')).toContain('\nsoftdep e1000e pre: xen-pciback\n');
  const unit = read(host, '/etc/systemd/system/xenpt-assignments.service');
  expect(unit).toContain('\nExecStart=/usr/bin/node "/opt/xen pt/xenpt.js" assignable restore\n');
  const link = '/etc/systemd/system/multi-user.target.wants/xenpt-assignments.service';
  expect(readlinkSync(host.sysfs.root + link)).toBe('../xenpt-assignments.service');
  expect(read(host, '/etc/initramfs-tools/hooks/xenpt')).toContain('manual_add_modules xen-pciback');
  expect(statSync(`${host.sysfs.root}/etc/initramfs-tools/hooks/xenpt`).mode & 0o777).toBe(0o755);
  expect(read(host, '/etc/dracut.conf.d/xenpt.conf')).toContain('add_drivers+=" xen-pciback "');
});

test('planning writes nothing; what stands already is not planned again; forgetting leaves nothing', () => {
  const host = withFolders('/etc/systemd/system');
  const { files, notes } = planPersist(host, [CARD], options);
  expect([files.length, notes, existsSync(host.sysfs.root + FILE)]).toEqual([5, [], false]);
  applyPersist(host, { files });
  expect(planPersist(host, [CARD], options).files).toEqual([]);
  expect(listAssignable(host)).toEqual([]);
  const gone = planForget(host, [CARD], options);
  expect(gone.files.map(({ content }) => content)).toEqual(files.map(() => null));
  applyPersist(host, gone);
  for (const { path } of files) expect(existsSync(host.sysfs.root + path), path).toBe(false);
  expect(planForget(host, [CARD], options).files).toEqual([]);
});

test('after a restart: taken from its driver, with the overrides of then', async () => {
  const host = hostWith({ functions: [{ ...fakeNetworkCard, resettable: false }] });
  await addAssignable(host, CARD, { overrides: ['no-reset-ok'] });
  keep(host);
  await restart(host);
  expect(await restoreAssignable(host)).toMatchObject([{ sbdf: CARD, outcome: 'taken' }]);
  expect(listAssignable(host)).toMatchObject([{ sbdf: CARD, overrides: ['no-reset-ok'], persistent: true }]);
});

test('a dry run of what restore does at boot writes nothing and tells each write', async () => {
  const host = keep(hostWith());
  const before = host.dump();
  const [device] = await restoreAssignable(host, { dryRun: true });
  expect(host.dump()).toEqual(before);
  expect(device).toMatchObject({ sbdf: CARD, outcome: 'taken', sentence: `${CARD} would be made assignable.` });
  const writes = device?.plan?.steps.flatMap((step) => step.writes) ?? [];
  expect(writes.at(-1)).toContain('(quarantine) 0000:03:00.0');
  expect(writes.filter((line) => line.includes('/driver_path ='))).toHaveLength(1);

  // pciback was faster, and nobody has said yet where the card came from.
  const faster = hostWith({
    functions: [
      { ...fakeNetworkCard, driver: 'pciback', driverOverride: 'pciback' },
      { sbdf: '0000:04:00.0', driver: 'e1000e' },
    ],
  });
  faster.store.seed({ '/libxl/pci/0000-03-00-0/driver_path': '/sys/bus/pci/drivers/e1000e' });
  keep(faster);
  faster.store.remove('/libxl/pci/0000-03-00-0');
  const [held] = await restoreAssignable(faster, { dryRun: true });
  expect(held).toMatchObject({ outcome: 'held' });
  expect(held?.plan?.steps.at(-1)?.writes).toEqual([
    'xenstore /libxl/pci/0000-03-00-0/driver_path = "/sys/bus/pci/drivers/e1000e"',
  ]);
  expect(faster.store.read('/libxl/pci/0000-03-00-0/driver_path')).toBeNull();
});

test('after a restart with udev’s rule pciback has it already; it goes back to its driver all the same', async () => {
  const host = hostWith({
    functions: [
      { ...fakeNetworkCard, driver: 'pciback', driverOverride: 'pciback' },
      { sbdf: '0000:04:00.0', driver: 'e1000e' },
    ],
  });
  host.store.seed({ '/libxl/pci/0000-03-00-0/driver_path': '/sys/bus/pci/drivers/e1000e' });
  keep(host);
  host.store.remove('/libxl/pci/0000-03-00-0');
  expect(await restoreAssignable(host)).toMatchObject([{ sbdf: CARD, outcome: 'held' }]);
  expect(await removeAssignable(host, CARD)).toMatchObject({ driver: '/sys/bus/pci/drivers/e1000e' });
  expect(host.sysfs.dump()).toContain('0000:03:00.0 driver e1000e');
});

test('another card in the slot: refused with the difference, not touched; the inventory says so too', async () => {
  const host = keep(hostWith());
  host.sysfs.replace(CARD, { deviceId: OTHER_CARD });
  const before = host.dump();
  expect(await restoreAssignable(host)).toMatchObject([
    { sbdf: CARD, outcome: 'changed', sentence: expect.stringContaining('deviceId was 0x10d3, is 0x1539') as string },
  ]);
  expect(await failure(addAssignable(host, CARD))).toMatchObject({ code: 'XENPT_IDENTITY_CHANGED' });
  expect(() => planPersist(host, [CARD], options)).toThrow(/another card/);
  expect(host.dump()).toEqual(before);
  expect(listInventory(host).findings[0]).toMatchObject({ rule: 'identity-changed', subject: CARD });
  applyPersist(host, planForget(host, [CARD], options));
  await addAssignable(host, CARD);
});

test('a renumbered bus: the card is found by its place, and its address is written anew', async () => {
  const host = keep(hostWith());
  const [assignment] = readAssignments(host.sysfs);
  const stale = { schemaVersion: 1, assignments: [{ ...assignment, address: '0000:02:00.0' }] };
  writeFileSync(host.sysfs.root + FILE, JSON.stringify(stale));
  expect(await restoreAssignable(host)).toMatchObject([
    { sbdf: CARD, outcome: 'taken', sentence: expect.stringContaining('which was 0000:02:00.0') as string },
  ]);
  expect(readAssignments(host.sysfs)).toMatchObject([{ address: CARD }]);
});

test('an empty slot is told, with where such a card is; it does not keep the others from being taken', async () => {
  const host = keep(hostWith());
  const [assignment] = readAssignments(host.sysfs);
  const moved = {
    ...assignment,
    address: '0000:09:00.0',
    identity: { ...assignment?.identity, path: '0000:09/00.0' },
  };
  writeFileSync(host.sysfs.root + FILE, JSON.stringify({ schemaVersion: 1, assignments: [moved, assignment] }));
  expect(await restoreAssignable(host)).toMatchObject([
    { outcome: 'absent', sentence: expect.stringMatching(/is empty; such a card is at 0000:03:00\.0/) as string },
    { sbdf: CARD, outcome: 'taken' },
  ]);
  applyPersist(host, planForget(host, ['09:00.0'], options));
  expect(readAssignments(host.sysfs)).toHaveLength(1);
});

test('whatever the file holds: read, or refused with a next step; the inventory works', () => {
  const host = keep(hostWith());
  const whole = read(host, FILE);
  fc.assert(
    fc.property(fc.nat(whole.length), fc.string({ maxLength: 8 }), fc.nat(20), (at, junk, skip) => {
      writeFileSync(host.sysfs.root + FILE, whole.slice(0, at) + junk + whole.slice(at + skip));
      const { functions, notes } = listInventory(host);
      expect(functions).toHaveLength(1);
      expect(notes.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 200 },
  );
});
