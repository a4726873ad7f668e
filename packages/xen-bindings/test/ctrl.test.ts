import { constants } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeXen } from './support/fake-xen.js';

let fake: FakeXen;
beforeEach(async () => {
  fake = await FakeXen.create();
});
afterEach(() => fake.remove());

/** 112 bytes of xen_domctl_getdomaininfo, of which only these matter here. */
function domain(domid: number, flags: number, maxVcpuId: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(112));
  view.setUint16(0, domid, true);
  view.setUint32(4, flags, true);
  view.setBigUint64(8, 0xfedc_ba98_7654_3210n, true);
  view.setUint32(68, maxVcpuId, true);
  return new Uint8Array(view.buffer);
}

describe('Control passes to libxenctrl', () => {
  it('every argument in its place and 64-bit values exactly', async () => {
    const results = await fake.run(({ xen }) => {
      const control = xen.Control.open();
      control.testAssignDevice(5, 0x0001_0300);
      control.assignDevice(xen.DOMID_IO, 0xffff_ffff, xen.AssignFlags.rdmRelaxed);
      control.deassignDevice(5, 0x0300);
      control.pause(5);
      control.unpause(6);
      control.iomemPermission(5, 0xffff_ffff_ffff_fffen, 2n, true);
      control.iomemPermission(5, 2n ** 53n + 1n, 1n, false);
      control.ioportPermission(5, 0xc000, 0x4000, true);
      control.irqPermission(5, 300, false);
      control.memoryMapping(5, 0xf_edcb_a987n, 2n ** 52n - 1n, 2n ** 33n + 1n, true);
      control.memoryMapping(5, 1n, 2n, 3n, false);
      control.ioportMapping(5, 0xc100, 0xe000, 32, false);
      const pirqs = [
        control.mapPirq(5, 17),
        control.mapPirq(5, 17, 40),
        control.mapPirqMsi(5, { devfn: 0xff, segbus: 0xffff_00ff, entry: 2047, tableBase: 2n ** 64n - 1n }),
        control.mapPirqMultiMsi(5, { devfn: 0xff, segbus: 0xffff_00ff, vectorCount: 32 }),
      ];
      control.unmapPirq(5, 87);
      control.bindPciIrq(5, 255, 0, 31, 3);
      control.unbindPciIrq(5, 16, 0, 5, 1);
      control.bindPciIrq(5, 256, 0, 31, 3);
      control.unbindPciIrq(5, 0x7fff_ffff, 0, 5, 1);
      control.updateMsiIrq(5, 0xef, 87, 0x1_0000, 0x1_0000_0000_0001n);
      control.unbindMsiIrq(5, 0xef, 87, 0x1_0000);
      return { pirqs, group: control.deviceGroup(5, 0x0300) };
    }, null);

    expect(results).toEqual({ pirqs: [17, 40, 87, 48], group: [0x0300, 0xfff8] });
    expect(fake.calls()).toEqual([
      'xc_test_assign_device 5 66304',
      'xc_assign_device 32753 4294967295 1',
      'xc_deassign_device 5 768',
      'xc_domain_pause 5',
      'xc_domain_unpause 6',
      'xc_domain_iomem_permission 5 18446744073709551614 2 1',
      'xc_domain_iomem_permission 5 9007199254740993 1 0',
      'xc_domain_ioport_permission 5 49152 16384 1',
      'xc_domain_irq_permission 5 300 0',
      'xc_domain_memory_mapping 5 68414056839 4503599627370495 8589934593 1',
      'xc_domain_memory_mapping 5 1 2 3 0',
      'xc_domain_ioport_mapping 5 49408 57344 32 0',
      'xc_physdev_map_pirq 5 17 -1',
      'xc_physdev_map_pirq 5 17 40',
      'xc_physdev_map_pirq_msi 5 -1 -1 255 -65281 2047 18446744073709551615',
      'physdev_op 13: map_pirq 5 4 -1 -1 -65281 255 32 0',
      'xc_physdev_unmap_pirq 5 87',
      'xc_domain_bind_pt_pci_irq 5 255 0 31 3',
      'xc_domain_unbind_pt_irq 5 16 0 0 5 1 0',
      'domctl 38: pt_irq 5 256 0 0 31 3',
      'domctl 48: pt_irq 5 2147483647 0 0 5 1',
      'xc_domain_update_msi_irq 5 239 87 65536 281474976710657',
      'xc_domain_unbind_msi_irq 5 239 87 65536',
      'xc_get_device_group 5 768 1024',
    ]);
  });

  it('nothing that its C type would cut off', async () => {
    const errors = await fake.run(({ xen, caught }) => {
      const control = xen.Control.open();
      return [
        caught(() => control.bindPciIrq(5, 2 ** 31, 0, 5, 0)),
        caught(() => control.memoryMapping(5, 2n ** 64n, 0n, 1n, true)),
        caught(() => control.memoryMapping(5, 0n, 2n ** 64n - 1n, 2n, true)),
        caught(() => control.iomemPermission(5, -1n, 1n, true)),
        caught(() => control.iomemPermission(5, 1n, 0n, true)),
        caught(() => control.ioportPermission(5, 0xffff, 2, true)),
        caught(() => control.assignDevice(0x8000, 0, 0)),
        caught(() => control.irqPermission(5, 1.5, true)),
        caught(() => control.updateMsiIrq(5, 1, 1, -1, 0n)),
        caught(() => control.memoryMapping(5, 1 as unknown as bigint, 0n, 1n, true)),
      ].map(({ name }) => name);
    }, null);
    expect(errors).toEqual([...Array<string>(9).fill('RangeError'), 'TypeError']);
    expect(fake.calls()).toEqual([]);
  });
});

describe('Control reports', () => {
  it('what Xen, or libxencall, said to several MSI vectors', async () => {
    for (const call of ['physdev_op', 'xencall_open', 'xencall_alloc_buffer']) {
      fake.fail(call, constants.errno.EOPNOTSUPP);
      const error = await fake.run(({ xen, caught }) => {
        const control = xen.Control.open();
        return caught(() => control.mapPirqMultiMsi(5, { devfn: 8, segbus: 0, vectorCount: 4 }));
      }, null);
      expect(error).toMatchObject({ code: 'XEN_CALL_FAILED', call, errnoName: 'EOPNOTSUPP' });
    }
  });

  it('what Xen said to a line above 255, after the last version of the interface that it may know', async () => {
    for (const errno of [constants.errno.EBUSY, constants.errno.EACCES]) {
      fake.fail('domctl', errno);
      const error = await fake.run(({ xen, caught }) => {
        const control = xen.Control.open();
        return caught(() => control.bindPciIrq(5, 300, 0, 5, 0));
      }, null);
      expect(error).toMatchObject({ code: 'XEN_CALL_FAILED', call: 'domctl', errno });
    }
  });

  it('the errno, its name, what it means here and what libxenctrl logged', async () => {
    fake.fail('xc_assign_device', constants.errno.EBUSY);
    const error = await fake.run(({ xen, caught }) => {
      const control = xen.Control.open();
      return caught(() => control.assignDevice(5, 0x0300, 0));
    }, null);
    expect(error).toMatchObject({
      name: 'XenCallError',
      code: 'XEN_CALL_FAILED',
      call: 'xc_assign_device',
      errno: 16,
      errnoName: 'EBUSY',
    });
    expect(error.message).toBe(
      'xc_assign_device failed with EBUSY (16): another domain owns the device, or its MSI-X is still masked as a ' +
        "whole; libxen says: the fake's refusal of xc_assign_device",
    );
  });

  it('an errno that came as the return value', async () => {
    const error = await fake.run(({ xen, caught }) => {
      const control = xen.Control.open();
      return caught(() => control.memoryMapping(99, 1n, 1n, 1n, true));
    }, null);
    expect(error).toMatchObject({ call: 'xc_domain_memory_mapping', errnoName: 'EINVAL' });
  });

  it('a call on a closed handle, and closes twice without complaint', async () => {
    const error = await fake.run(({ xen, caught }) => {
      const control = xen.Control.open();
      control.close();
      control.close();
      return caught(() => control.deassignDevice(5, 0));
    }, null);
    expect(error).toMatchObject({ name: 'XenError', code: 'XEN_CLOSED' });
    expect(fake.allCalls()).toEqual(['xc_interface_open 0', 'xc_interface_close']);
  });
});

describe('Control reads', () => {
  it('the domains one by one, and tells a missing one from the next', async () => {
    fake.write('domains', Buffer.concat([domain(0, 0x20, 1), domain(7, 0x0a, 127), domain(9, 0x0001_0005, 0)]));
    const { list, seven, eight } = await fake.run(({ xen }) => {
      const control = xen.Control.open();
      return { list: control.domainList(), seven: control.domainInfo(7), eight: control.domainInfo(8) };
    }, null);
    expect(list.map(({ domid }) => domid)).toEqual([0, 7, 9]);
    expect(seven).toMatchObject({ domid: 7, maxVcpuId: 127, totPages: 0xfedc_ba98_7654_3210n });
    expect(seven?.flags).toMatchObject({ hvm: true, paused: true, dying: false, shutdown: false });
    expect(list[2]).toMatchObject({ shutdownCode: 1, flags: { dying: true, shutdown: true, hvm: false } });
    expect(eight).toBeNull();
  });

  it("the machine's abilities and Xen's version", async () => {
    const view = new DataView(new ArrayBuffer(112));
    view.setUint32(8, 4, true);
    view.setUint32(28, 0b101, true);
    view.setBigUint64(72, 2n ** 40n + 1n, true);
    fake.write('physinfo', new Uint8Array(view.buffer));
    const { machine, version } = await fake.run(({ xen }) => {
      const control = xen.Control.open();
      return { machine: control.physInfo(), version: control.xenVersion() };
    }, null);
    expect(machine).toMatchObject({ hvm: true, pv: false, hvmDirectIo: true, cpuCount: 4, maxMfn: 2n ** 40n + 1n });
    expect(version).toEqual({
      major: 4,
      minor: 17,
      extra: '.7-fake',
      features: 0xdead_beef,
      commandLine: 'iommu=required extra_guest_irqs=64',
    });
  });
});
