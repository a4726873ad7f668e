import { expect, test } from 'vitest';
import { addAssignable, attach, listAssignable, removeAssignable } from '../../src/xen/index.js';
import { fakeNetworkCard } from '../../src/xen/testing/index.js';
import { CARD, eachFailingCall, failure, hostWith, readyHost } from './hosts.js';

test('adds as libxl does, lists, and removes without a trace', async () => {
  const host = hostWith();
  const before = host.dump();
  expect(await addAssignable(host, '03:00.0')).toEqual({
    sbdf: CARD,
    driver: '/sys/bus/pci/drivers/e1000e',
    already: false,
    transaction: '000001',
    plan: null,
    setAside: [],
  });
  expect(host.journal.calls.filter((call) => /^(write|xs_write|xc_)/.test(call))).toEqual([
    'xs_write /libxl/pci/0000-03-00-0/driver_path /sys/bus/pci/drivers/e1000e',
    'write /sys/bus/pci/drivers/e1000e/unbind 0000:03:00.0',
    'write /sys/bus/pci/drivers/pciback/new_slot 0000:03:00.0',
    'write /sys/bus/pci/drivers/pciback/bind 0000:03:00.0',
    'xc_assign_device 32753 768 1',
  ]);
  expect(listAssignable(host)).toEqual([
    { sbdf: CARD, driver: '/sys/bus/pci/drivers/e1000e', name: null, overrides: [], persistent: false },
  ]);
  const first = host.journal.calls.length;
  expect(await removeAssignable(host, CARD)).toEqual({
    sbdf: CARD,
    driver: '/sys/bus/pci/drivers/e1000e',
    transaction: '000002',
    plan: null,
  });
  expect(host.journal.calls.slice(first).filter((call) => /^(write|xc_)/.test(call))).toEqual([
    'xc_deassign_device 32753 768',
    'write /sys/bus/pci/drivers/pciback/unbind 0000:03:00.0',
    'write /sys/bus/pci/drivers/pciback/remove_slot 0000:03:00.0',
    'write /sys/bus/pci/drivers/e1000e/bind 0000:03:00.0',
  ]);
  expect(host.dump()).toEqual(before);
});

test('adding twice renews the quarantine and does not add a second slot', async () => {
  const host = await readyHost();
  const before = host.dump();
  expect(await addAssignable(host, CARD)).toMatchObject({ already: true, driver: '/sys/bus/pci/drivers/e1000e' });
  expect(host.dump()).toEqual(before);
});

test('adding a device that a guest has does not take it away', async () => {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  const before = host.dump();
  await addAssignable(host, CARD);
  expect(host.dump()).toEqual(before);
});

test('a device without a driver goes back to where an earlier record says', async () => {
  const host = hostWith({
    functions: [
      { ...fakeNetworkCard, driver: null },
      { sbdf: '0000:04:00.0', driver: 'igb' },
    ],
  });
  host.store.seed({ '/libxl/pci/0000-03-00-0/driver_path': '/sys/bus/pci/drivers/igb' });
  await addAssignable(host, CARD);
  expect(await removeAssignable(host, CARD)).toMatchObject({ driver: '/sys/bus/pci/drivers/igb' });
  expect(host.sysfs.dump()).toContain('0000:03:00.0 driver igb');
});

test('removes what xl added, with a name and without quarantine', async () => {
  const host = hostWith({
    functions: [
      { ...fakeNetworkCard, driver: 'pciback' },
      { sbdf: '0000:04:00.0', driver: 'igb' },
    ],
  });
  host.store.seed({
    '/libxl/pci/0000-03-00-0/driver_path': '/sys/bus/pci/drivers/igb',
    '/libxl/pci/0000-03-00-0/name': 'uplink',
  });
  expect(listAssignable(host)).toMatchObject([{ name: 'uplink' }]);
  await removeAssignable(host, CARD);
  expect(host.store.dump().join('\n')).not.toContain('0000-03-00-0');
});

test('the list leaves out what a guest has, as xl does', async () => {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  expect(listAssignable(host)).toEqual([]);
});

test('refuses with a reason, changing nothing', async () => {
  const plain = hostWith();
  const before = plain.dump();
  expect(await failure(addAssignable(plain, '09:00.0'))).toMatchObject({ code: 'XENPT_NO_SUCH_DEVICE' });
  expect(await failure(removeAssignable(plain, CARD))).toMatchObject({ code: 'XENPT_NOT_ASSIGNABLE' });
  expect(plain.dump()).toEqual(before);
  expect(await failure(addAssignable(hostWith({ isRoot: false }), CARD))).toMatchObject({ code: 'XENPT_NOT_ROOT' });
  expect(await failure(addAssignable(hostWith({ xen: false }), CARD))).toMatchObject({ code: 'XENPT_NO_XEN' });
  expect(await failure(addAssignable(hostWith({ pciback: false }), CARD))).toMatchObject({
    code: 'XENPT_PCIBACK_MISSING',
    next: 'Run: modprobe xen-pciback',
  });
  const attached = await readyHost();
  await attach(attached, { domain: '5', spec: CARD });
  expect(await failure(removeAssignable(attached, CARD))).toMatchObject({
    code: 'XENPT_DEVICE_IN_USE',
    next: 'Detach it first: xenpt detach 5 0000:03:00.0',
  });
});

test('without an IOMMU the device goes back to its driver', async () => {
  const host = hostWith();
  host.hypervisor.directIo = () => true;
  host.toolstack.iommuEnabled = false;
  const before = host.dump();
  expect(await failure(addAssignable(host, CARD))).toMatchObject({ code: 'XENPT_NO_IOMMU', outcome: 'rolled-back' });
  expect(host.dump()).toEqual(before);
});

test('a driver that does not take the device back leaves it assignable', async () => {
  const host = await readyHost();
  host.sysfs.refusing.add('/sys/bus/pci/drivers/e1000e');
  const before = host.dump();
  const error = await failure(removeAssignable(host, CARD));
  expect(error).toMatchObject({ code: 'XENPT_STEP_FAILED', step: 'bind to e1000e', outcome: 'rolled-back' });
  expect(host.dump()).toEqual(before);
});

test.each(['/etc/passwd', '/sys/bus/pci/drivers/../../..', '/sys/bus/pci/drivers/a/b', 'e1000e', ''])(
  'a recorded driver that is no driver folder is not written to: %j',
  async (path) => {
    const host = await readyHost();
    host.store.seed({ '/libxl/pci/0000-03-00-0/driver_path': path });
    const before = host.dump();
    const error = await failure(removeAssignable(host, CARD));
    expect(error.next).toMatch(/xenstore-(write|rm)/);
    expect(host.dump()).toEqual(before);
  },
);

test('add and remove: a failure at any call leaves everything as it was', async () => {
  const added = await eachFailingCall(
    () => Promise.resolve(hostWith()),
    (host) => addAssignable(host, CARD),
    (host, before, error, call) => {
      expect(error, call).toBeDefined();
      expect(host.dump(), call).toEqual(before);
    },
  );
  const removed = await eachFailingCall(
    () => readyHost(),
    (host) => removeAssignable(host, CARD),
    (host, before, error, call) => {
      expect(error, call).toBeDefined();
      expect(host.dump(), call).toEqual(before);
    },
  );
  expect([added > 5, removed > 5]).toEqual([true, true]);
});
