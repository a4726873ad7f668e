import { expect, test } from 'vitest';
import { attach, listInventory, showFunction } from '../../src/xen/index.js';
import { fakeNetworkCard } from '../../src/xen/testing/index.js';
import { CARD, failure, hostWith, readyHost } from './hosts.js';

const functions = [
  fakeNetworkCard,
  { sbdf: '0000:04:00.0', driver: null },
  { sbdf: '0000:05:00.0', driver: 'pciback' },
];

test('names the owner of every function, in order of address', async () => {
  const host = await readyHost({ functions });
  await attach(host, { domain: '5', spec: `${CARD}@6` });
  expect(listInventory(host).functions.map(({ sbdf, owner }) => [sbdf.bus, owner])).toEqual([
    [3, { kind: 'domain', domid: 5, domainName: 'guest5', guestSbdf: '0000:00:06.0' }],
    [4, { kind: 'host', driver: null }],
    [5, { kind: 'assignable' }],
  ]);
});

test('knows the owner from the in-use marker alone', () => {
  const host = hostWith({ functions });
  host.store.seed({ '/libxl/pci/0000-05-00-0/domid': '5' });
  expect(showFunction(host, '05:00.0').owner).toEqual({
    kind: 'domain',
    domid: 5,
    domainName: 'guest5',
    guestSbdf: null,
  });
});

test('works on plain Linux, and says what it cannot know', () => {
  const inventory = listInventory(hostWith({ xen: false, functions }));
  expect(inventory.functions.map(({ owner }) => owner)).toEqual([
    { kind: 'host', driver: 'e1000e' },
    { kind: 'host', driver: null },
    { kind: 'unknown' },
  ]);
  expect(inventory.notes).toEqual([expect.stringMatching(/cannot be told: this system does not run on Xen/)]);
});

test.each(['x', '-1', '1000', '', '0x1', '\u0000'])('survives num_devs %j', (text) => {
  const host = hostWith();
  host.store.seed({ '/local/domain/0/backend/pci/5/0/num_devs': text });
  expect(listInventory(host).functions[0]?.owner).toEqual({ kind: 'host', driver: 'e1000e' });
});

test('refuses a device that does not exist', async () => {
  const host = hostWith();
  expect(await failure(Promise.resolve().then(() => showFunction(host, '09:00.0')))).toMatchObject({
    code: 'XENPT_NO_SUCH_DEVICE',
  });
});
