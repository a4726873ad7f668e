import { describe, expect, it } from 'vitest';
import { unmaskedFlag } from '../src/message.js';
import { at, networkCard } from './support/network-card.js';
import { cardName, makeRig, placeAll, type Rig } from './support/rig.js';

const control = at.msi + 2;

function rigWithMsi(): Rig {
  const rig = makeRig({ images: [networkCard({ msix: false })] });
  rig.attach();
  placeAll(rig.guest());
  return rig;
}

function program(rig: Rig, data = 0x4041): void {
  rig.guest().writeConfig(at.msi + 4, 0xfee0_3000);
  rig.guest().writeConfig(at.msi + 8, 0);
  rig.guest().writeConfig(at.msi + 12, data, 2);
}

describe('MSI', () => {
  it('is bound, then turned on in hardware with 16 bits', () => {
    const rig = rigWithMsi();
    program(rig);
    expect(rig.hypervisor.count('mapMsi')).toBe(0);
    rig.guest().writeConfig(control, 0x0081, 2);
    expect(rig.hypervisor.calls.slice(-2)).toEqual([
      {
        name: 'mapMsi',
        arguments: [{ sbdf: rig.device.image.sbdf, entry: 0, tableBase: 0n, pirq: -1, vectorCount: 1 }],
      },
      { name: 'bindMsi', arguments: [79, 0x41, unmaskedFlag | 3, 0n] },
    ]);
    expect(rig.device.writes.at(-1)).toEqual({ offset: control, width: 2, value: 0x0081 });
    expect(rig.hypervisor.violations).toEqual([]);
  });

  it('follows a message that is changed while on, and only then', () => {
    const rig = rigWithMsi();
    program(rig);
    rig.guest().writeConfig(control, 0x0081, 2);
    program(rig);
    expect(rig.hypervisor.count('bindMsi')).toBe(1);
    const writes = rig.device.writes.length;
    rig.guest().writeConfig(at.msi + 12, 0x4042, 2);
    expect(rig.device.writes.length).toBe(writes);
    expect(rig.hypervisor.calls.at(-1)?.arguments.slice(0, 2)).toEqual([79, 0x42]);
    expect(rig.hypervisor.count('mapMsi')).toBe(1);
  });

  it('of a function with one vector stays at one, whatever the guest enables', () => {
    const rig = rigWithMsi();
    program(rig);
    rig.guest().writeConfig(control, 0x0071 | 0x0080, 2);
    expect(rig.guest().readConfig(control, 2) & 0x010e).toBe(0);
    expect(rig.device.writes.at(-1)?.value).toBe(0x0081);
  });

  it('goes off in hardware before anything is given back', () => {
    const rig = rigWithMsi();
    program(rig);
    rig.guest().writeConfig(control, 0x0081, 2);
    rig.guest().writeConfig(control, 0x0080, 2);
    expect(rig.device.msiEnabled).toBe(false);
    expect(rig.hypervisor.pirqsInUse()).toEqual([16]);
    expect(rig.hypervisor.violations).toEqual([]);
  });

  it('stays off in hardware when Xen refuses, and the guest may try again', () => {
    const rig = rigWithMsi();
    program(rig);
    rig.hypervisor.failAt('bindMsi');
    rig.guest().writeConfig(control, 0x0081, 2);
    expect(rig.device.msiEnabled).toBe(false);
    expect(rig.hypervisor.boundTo(79)).toBeNull();
    expect(rig.guest().readConfig(control, 2) & 1).toBe(1);
    rig.guest().command(0x0007);
    expect(rig.hypervisor.count('bindMsi')).toBe(1);
    rig.guest().writeConfig(control, 0x0080, 2);
    rig.guest().writeConfig(control, 0x0081, 2);
    expect(rig.device.msiEnabled).toBe(true);
    expect(rig.reports.length).toBeGreaterThan(0);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });

  it('does not come on beside MSI-X, nor MSI-X beside it', () => {
    const rig = makeRig();
    rig.attach();
    placeAll(rig.guest());
    program(rig);
    rig.guest().writeConfig(control, 0x0081, 2);
    rig.guest().writeConfig(at.msix + 2, 0x8004, 2);
    expect([rig.device.msiEnabled, rig.device.msixEnabled]).toEqual([true, false]);
    rig.guest().writeConfig(control, 0x0080, 2);
    expect([rig.device.msiEnabled, rig.device.msixEnabled]).toEqual([false, true]);
    rig.guest().writeConfig(control, 0x0081, 2);
    expect([rig.device.msiEnabled, rig.device.msixEnabled]).toEqual([false, true]);
    rig.guest().writeConfig(at.msix + 2, 0x0004, 2);
    expect([rig.device.msiEnabled, rig.device.msixEnabled]).toEqual([true, false]);
    expect(rig.hypervisor.violations).toEqual([]);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });
});
