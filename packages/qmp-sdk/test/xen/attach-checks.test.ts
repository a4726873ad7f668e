import { expect, test } from 'vitest';
import { attach, type XenErrorCode } from '../../src/xen/index.js';
import { type FakeHost, fakeDomain, fakeNetworkCard } from '../../src/xen/testing/index.js';
import { failure, hostWith, readyHost } from './hosts.js';

const request = { domain: '5', spec: '03:00.0' };

/** The bad cases of the main job and the rest of what can be known before something is changed. */
const refusals: readonly {
  name: string;
  code: XenErrorCode;
  message: RegExp;
  next: RegExp;
  host: () => Promise<FakeHost> | FakeHost;
  request?: { domain: string; spec: string };
}[] = [
  {
    name: 'malformed address',
    code: 'XENPT_SPEC_SYNTAX',
    message: /"3:0\.0", column 1: the bus "3" must have 2/,
    next: /Did you mean 0000:03:00\.0\?/,
    host: () => readyHost(),
    request: { domain: '5', spec: '3:0.0' },
  },
  {
    name: 'slot that does not exist',
    code: 'XENPT_SPEC_SYNTAX',
    message: /slot 0x20 does not exist/,
    next: /hexadecimal/,
    host: () => readyHost(),
    request: { domain: '5', spec: '03:00.0@20' },
  },
  {
    name: 'not root',
    code: 'XENPT_NOT_ROOT',
    message: /only root may attach a device/,
    next: /sudo/,
    host: () => hostWith({ isRoot: false, xen: false }),
  },
  {
    name: 'not on Xen',
    code: 'XENPT_NO_XEN',
    message: /does not run on Xen/,
    next: /dom0/,
    host: () => hostWith({ xen: false }),
  },
  {
    name: 'no such device',
    code: 'XENPT_NO_SUCH_DEVICE',
    message: /no PCI device 0000:09:00\.0/,
    next: /xenpt list/,
    host: () => readyHost(),
    request: { domain: '5', spec: '09:00.0' },
  },
  {
    name: 'no such domain by id',
    code: 'XENPT_NO_SUCH_DOMAIN',
    message: /no domain "6"/,
    next: /xl list/,
    host: () => readyHost(),
    request: { domain: '6', spec: '03:00.0' },
  },
  {
    name: 'no such domain by name',
    code: 'XENPT_NO_SUCH_DOMAIN',
    message: /no domain "web"/,
    next: /xl list/,
    host: () => readyHost(),
    request: { domain: 'web', spec: '03:00.0' },
  },
  {
    name: 'domain that is being destroyed',
    code: 'XENPT_NO_SUCH_DOMAIN',
    message: /being destroyed/,
    next: /xl list/,
    host: () => readyHost({ domains: [fakeDomain(5, { flags: { dying: true } })] }),
  },
  {
    name: 'PV domain',
    code: 'XENPT_DOMAIN_NOT_HVM',
    message: /domain 5 \(guest5\) is PV, not HVM/,
    next: /type="hvm"/,
    host: () => readyHost({ domains: [fakeDomain(5, { flags: { hvm: false } })] }),
  },
  {
    name: 'PVH domain, which Xen calls HVM too',
    code: 'XENPT_DOMAIN_NOT_HVM',
    message: /is PVH, not HVM/,
    next: /type="hvm"/,
    host: async () => {
      const host = await readyHost();
      host.store.seed({ '/libxl/5/type': 'pvh' });
      return host;
    },
  },
  {
    name: 'dom0',
    code: 'XENPT_DOMAIN_NOT_HVM',
    message: /is dom0/,
    next: /HVM/,
    host: () => readyHost(),
    request: { domain: '0', spec: '03:00.0' },
  },
  {
    name: 'IOMMU off',
    code: 'XENPT_NO_IOMMU',
    message: /no IOMMU on this host/,
    next: /iommu=required/,
    host: async () => {
      const host = await readyHost();
      host.toolstack.iommuEnabled = false;
      return host;
    },
  },
  {
    name: 'device still on its dom0 driver',
    code: 'XENPT_DEVICE_HAS_DRIVER',
    message: /still used by dom0's driver e1000e/,
    next: /xenpt assignable add 0000:03:00\.0/,
    host: () => hostWith(),
  },
  {
    name: 'device without a driver',
    code: 'XENPT_DEVICE_HAS_DRIVER',
    message: /bound to no driver/,
    next: /xenpt assignable add 0000:03:00\.0/,
    host: () => hostWith({ functions: [{ ...fakeNetworkCard, driver: null }] }),
  },
  {
    name: 'domain created without passthrough',
    code: 'XENPT_DOMAIN_WITHOUT_PASSTHROUGH',
    message: /domain 5 \(guest5\) was created without passthrough/,
    next: /passthrough="sync_pt"/,
    host: () => readyHost({ domains: [fakeDomain(5, { iommu: false })] }),
  },
  {
    name: 'device that another domain has',
    code: 'XENPT_DEVICE_IN_USE',
    message: /attached to domain 6 \(guest6\)/,
    next: /xenpt detach 6 0000:03:00\.0/,
    host: async () => {
      const host = await readyHost({ domains: [fakeDomain(5), fakeDomain(6)] });
      await attach(host, { domain: '6', spec: '03:00.0' });
      return host;
    },
  },
  {
    name: 'device that Xen has given away, unmarked',
    code: 'XENPT_DEVICE_IN_USE',
    message: /assigned to another domain/,
    next: /debug-keys Q/,
    host: async () => {
      const host = await readyHost({ domains: [fakeDomain(5), fakeDomain(6)] });
      host.toolstack.assignDevice(6, 0x300, 0);
      return host;
    },
  },
  {
    name: 'attach twice',
    code: 'XENPT_ALREADY_ATTACHED',
    message: /attached to guest5 already/,
    next: /Nothing to do/,
    host: async () => {
      const host = await readyHost();
      await attach(host, request);
      return host;
    },
  },
  {
    name: 'slot of the emulated machine',
    code: 'XENPT_SLOT_TAKEN',
    message: /slot 0x3 of the guest belongs to the emulated machine/,
    next: /4 to 1f/,
    host: () => readyHost(),
    request: { domain: '5', spec: '03:00.0@3' },
  },
  {
    name: 'slot of another passed-through device',
    code: 'XENPT_SLOT_TAKEN',
    message: /slot 0x5 of the guest is taken by 0000:04:00\.0/,
    next: /another slot/,
    host: async () => {
      const host = await readyHost({ functions: [fakeNetworkCard, { sbdf: '0000:04:00.0', driver: 'pciback' }] });
      await attach(host, { domain: '5', spec: '04:00.0@5' });
      return host;
    },
    request: { domain: '5', spec: '03:00.0@5' },
  },
  {
    name: 'BAR that shares a page with another device',
    code: 'XENPT_RESOURCE_SHARED',
    message: /BAR 3 of 0000:03:00\.0 shares a page with BAR 0 of 0000:04:00\.0/,
    next: /resource_alignment/,
    host: () =>
      readyHost({
        functions: [
          fakeNetworkCard,
          { sbdf: '0000:04:00.0', driver: null, resources: [[0xfe883c00n, 0xfe883fffn, 0x200n]] },
        ],
      }),
  },
  {
    name: 'BAR that does not begin at a page',
    code: 'XENPT_RESOURCE_SHARED',
    message: /BAR 0 of 0000:03:00\.0 is at fe840400/,
    next: /resource_alignment/,
    host: () => readyHost({ functions: [{ ...fakeNetworkCard, resources: [[0xfe840400n, 0xfe8407ffn, 0x200n]] }] }),
  },
];

test.each(refusals)('refuses, changing nothing: $name', async ({ code, message, next, host: prepare, ...rest }) => {
  const host = await prepare();
  const before = host.dump();
  const error = await failure(attach(host, rest.request ?? request));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(error.next).toMatch(next);
  expect(error.outcome).toBe('untouched');
  expect(host.dump()).toEqual(before);
});
