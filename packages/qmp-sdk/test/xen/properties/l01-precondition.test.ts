import { expect, test } from 'vitest';
import { addAssignable, attach } from '../../../src/xen/index.js';
import { type FakeHost, fakeDomain, fakeNetworkCard } from '../../../src/xen/testing/index.js';
import { CARD, failure, hostWith, readyHost } from '../hosts.js';

const changes = /^(write|reset|disable|xc_(assign|deassign|domain_io)|model|xs_(write|rm|mkdir))/;

async function without(change: (host: FakeHost) => void): Promise<FakeHost> {
  const host = await readyHost();
  change(host);
  return host;
}

test.each<[string, string, () => Promise<FakeHost>]>([
  ['a device on a driver of dom0', 'XENPT_DEVICE_HAS_DRIVER', () => Promise.resolve(hostWith())],
  ['a host without an IOMMU', 'XENPT_NO_IOMMU', () => without((host) => (host.toolstack.iommuEnabled = false))],
  [
    'a device of another domain',
    'XENPT_DEVICE_IN_USE',
    () => without((host) => host.toolstack.assignDevice(5, 0x300, 0)),
  ],
  [
    'a domain without an IOMMU table, as with populate-on-demand',
    'XENPT_DOMAIN_WITHOUT_PASSTHROUGH',
    () => readyHost({ domains: [fakeDomain(5, { iommu: false })] }),
  ],
  ['a PV domain', 'XENPT_DOMAIN_NOT_HVM', () => readyHost({ domains: [fakeDomain(5, { flags: { hvm: false } })] })],
])('L1: %s is refused before anything is changed', async (_what, code, make) => {
  const host = await make();
  const [before, calls] = [host.dump(), host.journal.calls.length];
  expect(await failure(attach(host, { domain: '5', spec: CARD }))).toMatchObject({ code, outcome: 'untouched' });
  expect(host.dump()).toEqual(before);
  expect(host.journal.calls.slice(calls).filter((call) => changes.test(call))).toEqual([]);
});

test('L1: a domain that pages, shares or is migrated is refused by Xen, and all is as before', async () => {
  const host = await readyHost();
  host.toolstack.assignError = 'EXDEV';
  const before = host.dump();
  expect(await failure(attach(host, { domain: '5', spec: CARD }))).toMatchObject({
    code: 'XENPT_DOMAIN_MEMORY_BUSY',
    outcome: 'rolled-back',
  });
  expect(host.dump()).toEqual(before);
});

test('L1: a device is assignable only in quarantine, where its DMA reaches nobody', async () => {
  const host = hostWith({ functions: [fakeNetworkCard] });
  await addAssignable(host, CARD);
  expect(host.toolstack.dump()).toEqual(['device 300 owner 7ff1', 'device 300 quarantined']);
});
