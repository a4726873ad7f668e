import { describe, expect, it } from 'vitest';
import { FakeGuestMemory, request, type RequestFields } from './support/guest.js';
import { at, networkCard } from './support/network-card.js';
import { cardName, home, makeRig, placeAll, slot, type Rig, type RigOptions } from './support/rig.js';

const ours = 1 << 5;
const beside = 6 << 3;
const other = '0000:02:00.0';

function eject(rig: Rig, slots: number, rest: Partial<RequestFields> = {}): void {
  rig.handler.handle(request({ type: 0, address: 0xae08n, data: BigInt(slots >>> 0), size: 4, ...rest }));
}

/** A card at work: BARs mapped, one message bound. */
function busy(options: RigOptions = {}): Rig {
  const rig = makeRig({ barAccess: true, ...options });
  rig.attach();
  const guest = rig.guest();
  placeAll(guest);
  for (const base of [home.bar0, home.bar3 + 0x1000]) guest.readMemory(base);
  guest.writeMemory(home.bar3, 0xfee0_0000);
  guest.writeMemory(home.bar3 + 8, 0x4030);
  guest.writeMemory(home.bar3 + 12, 0);
  guest.writeConfig(at.msix + 2, 0x8004, 2);
  return rig;
}

describe('an eject that is expected', () => {
  it('takes the function from the guest before the write is answered, and keeps it for detach', () => {
    const rig = busy();
    const guest = rig.guest();
    expect(rig.hypervisor.held().join()).toMatch(/mapped frames.*pirq/);
    expect(rig.model.expectEjects(0)).toBe(0);
    eject(rig, ours);
    expect(rig.hypervisor.held()).toEqual(['function 0x28', 'claimed ports 0xae08 +0x4']);
    expect([rig.device.msixEnabled, rig.device.command & 4]).toEqual([false, 0]);
    expect([guest.readConfig(0), guest.readConfig(at.msix, 2)]).toEqual([0xffff_ffff, 0xffff]);
    guest.command(0x0007);
    guest.writeConfig(at.msix + 2, 0x8004, 2);
    expect(guest.readMemory(home.bar0)).toBe(0xffff_ffffn);
    expect(rig.hypervisor.held()).toHaveLength(2);
    expect(rig.model.devices).toEqual([cardName]);
    expect(rig.model.view(cardName).bars.some(({ mapped }) => mapped)).toBe(false);
    expect(rig.model.expectEjects(0)).toBe(ours);
    expect(rig.model.expectEjects(ours)).toBe(0);
    rig.model.detach(cardName);
    rig.model.ignoreEjects();
    rig.hypervisor.assertBaseline();
    expect([rig.faults, rig.reports]).toEqual([[], []]);
  });

  it('takes both functions of a slot, and no other', () => {
    const images = [1, 2, 3].map((bus) => networkCard({ bus, irq: 15 + bus }));
    const rig = makeRig({ images });
    rig.attach();
    rig.model.attach({ sbdf: other, guestDevfn: slot + 1 });
    rig.model.attach({ sbdf: '0000:03:00.0', guestDevfn: beside });
    rig.model.expectEjects(0);
    eject(rig, ours);
    expect([slot, slot + 1, beside].map((devfn) => rig.guest(devfn).readConfig(0))).toEqual([
      0xffff_ffff, 0xffff_ffff, 0x10d3_8086,
    ]);
    rig.model.detach(cardName);
    // Its neighbour is ejected as well, and QEMU has to know.
    expect(rig.model.expectEjects(0)).toBe(ours);
    rig.model.detach(other);
    expect(rig.model.expectEjects(0)).toBe(0);
    rig.model.releaseAll();
    rig.hypervisor.assertBaseline();
  });

  it('of other slots is kept for QEMU, up to slot 31', () => {
    const rig = busy();
    rig.model.expectEjects(0);
    eject(rig, 1 << 31);
    eject(rig, 1 << 3);
    expect(rig.guest().readConfig(0)).toBe(0x10d3_8086);
    expect(rig.model.expectEjects(0)).toBe(0x8000_0008);
    expect(rig.model.expectEjects(1 << 31)).toBe(8);
  });

  it.each([
    ['of 1 byte', { size: 1 }],
    ['of 2 bytes', { size: 2 }],
    ['of 8 bytes', { size: 8 }],
    ['at the second byte', { address: 0xae09n }],
    ['by a read', { read: true }],
  ])('is not made %s', (_, fields) => {
    const rig = busy();
    rig.model.expectEjects(0);
    eject(rig, ours, fields);
    expect(rig.guest().readConfig(0)).toBe(0x10d3_8086);
    expect(rig.model.expectEjects(0)).toBe(0);
  });

  it('reads 0, as with QEMU', () => {
    const rig = busy();
    rig.model.expectEjects(0);
    eject(rig, 0, { read: true });
    expect(rig.handler.dataLow).toBe(0);
  });

  it('may come from a string instruction', () => {
    const memory = new FakeGuestMemory(0x5000, 4);
    memory.bytes.set([ours, 0, 0, 0]);
    const rig = busy({ memory });
    rig.model.expectEjects(0);
    eject(rig, 0x5000, { pointer: true });
    expect(rig.model.expectEjects(0)).toBe(ours);
    expect(rig.guest().readConfig(0)).toBe(0xffff_ffff);
  });

  it('made ten thousand times costs Xen no more than once, and says nothing', () => {
    const rig = busy();
    rig.model.expectEjects(0);
    eject(rig, 0xffff_ffff);
    const { length } = rig.hypervisor.calls;
    for (let round = 0; round < 10_000; round += 1) eject(rig, 0xffff_ffff);
    expect(rig.hypervisor.calls).toHaveLength(length);
    expect([rig.faults, rig.reports]).toEqual([[], []]);
    expect(rig.model.expectEjects(0)).toBe(0xffff_ffff);
  });

  it('of a function that Xen does not let go of is told, and detach tries the rest again', () => {
    const rig = busy();
    rig.model.expectEjects(0);
    rig.hypervisor.failAt('unbindMsi', 'EIO');
    eject(rig, ours);
    expect(rig.reports.join()).toMatch(/eject: .*EIO/);
    expect(rig.guest().readConfig(0)).toBe(0xffff_ffff);
    rig.model.detach(cardName);
    rig.model.ignoreEjects();
    rig.hypervisor.assertBaseline();
  });
});

describe('an eject that is not expected', () => {
  it('is QEMU’s, whatever comes here', () => {
    const rig = busy();
    eject(rig, ours);
    rig.model.expectEjects(0);
    rig.model.ignoreEjects();
    eject(rig, ours);
    expect(rig.guest().readConfig(0)).toBe(0x10d3_8086);
    expect(rig.hypervisor.count('claimPorts')).toBe(1);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });

  it('but came while one was expected is told to whoever expects the next', () => {
    const rig = busy();
    rig.model.expectEjects(0);
    eject(rig, ours | 8);
    rig.model.ignoreEjects();
    expect(rig.model.expectEjects(0)).toBe(ours | 8);
    rig.model.detach(cardName);
    rig.attach();
    expect(rig.model.expectEjects(0)).toBe(8);
    expect(rig.guest().readConfig(0)).toBe(0x10d3_8086);
  });

  it('is not one for the next owner of the slot', () => {
    const rig = makeRig();
    rig.model.expectEjects(0);
    eject(rig, ours);
    rig.attach();
    expect(rig.model.expectEjects(0)).toBe(0);
  });
});

describe('the ports', () => {
  it('that Xen does not give leave everything as it was', () => {
    const rig = busy();
    const held = rig.hypervisor.held();
    rig.hypervisor.failAt('claimPorts', 'ENOSPC');
    expect(() => rig.model.expectEjects(0)).toThrow(/ENOSPC/);
    expect(rig.hypervisor.held()).toEqual(held);
    expect(rig.model.expectEjects(0)).toBe(0);
  });

  it('go with the last of the model', () => {
    const rig = busy();
    rig.model.expectEjects(0);
    rig.model.releaseAll();
    rig.hypervisor.assertBaseline();
  });

  it('that Xen keeps are named, and given back at the next try', () => {
    const rig = makeRig();
    rig.model.expectEjects(0);
    rig.hypervisor.failAt('releasePorts', 'EIO');
    expect(() => rig.model.releaseAll()).toThrow(/ports of ACPI hot-plug claimed/);
    rig.model.releaseAll();
    rig.hypervisor.assertBaseline();
  });

  it('of a domain that is gone are not touched', () => {
    const rig = busy();
    rig.model.expectEjects(0);
    eject(rig, ours);
    rig.hypervisor.domainGone = true;
    rig.model.abandon();
    expect(rig.hypervisor.violations).toEqual([]);
  });
});
