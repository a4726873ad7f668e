import { describe, expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { enableMsix, unmaskEntry } from '../support/messages.js';
import { home, type Rig } from '../support/rig.js';

function running(): Rig {
  const rig = runningRig();
  unmaskEntry(rig, 0);
  enableMsix(rig);
  return rig;
}

/** As Linux on Xen writes it: the pirq in address and its upper bits, vector 0. */
function writePirq(rig: Rig, entry: number, pirq: number): void {
  const start = home.bar3 + 16 * entry;
  rig.guest().writeMemory(start, (0xfee0_0000 | ((pirq & 0xff) << 12)) >>> 0);
  rig.guest().writeMemory(start + 4, (pirq & 0xffff_ff00) >>> 0);
  rig.guest().writeMemory(start + 8, 0x4300);
}

it('M11: what is written to an unmasked entry counts from its next unmasking, and is no line in the log', () => {
  const rig = running();
  for (let round = 0; round < 50; round += 1) {
    rig.guest().writeMemory(home.bar3, 0xfee0_0000 + 0x1000 * round);
    rig.guest().writeMemory(home.bar3 + 8, 0x4080 + round);
  }
  expect(rig.hypervisor.boundTo(79)).toMatchObject({ vector: 0x30, flags: 0 });
  expect(rig.reports).toEqual([]);
  rig.guest().writeMemory(home.bar3 + 12, 1);
  rig.guest().writeMemory(home.bar3 + 12, 0);
  expect(rig.hypervisor.boundTo(79)).toMatchObject({ vector: 0x80 + 49, flags: 49 });
});

it('M11: a masked entry may be written in any order; it is bound when it is unmasked, whole', () => {
  const rig = running();
  for (const word of [8, 0, 4]) rig.guest().writeMemory(home.bar3 + 16 + word, word === 8 ? 0x4055 : 0xfee0_2000);
  expect(rig.hypervisor.count('bindMsi')).toBe(1);
  rig.guest().writeMemory(home.bar3 + 28, 0);
  expect(rig.hypervisor.boundTo(78)).toMatchObject({ vector: 0x55, flags: 2 });
});

describe('M11: an entry that names a pirq, of a function that is on', () => {
  it.each([40, 0x137, 0x1234_5678])('takes effect with its data, pirq %i and not half of it', (pirq) => {
    const rig = running();
    writePirq(rig, 2, pirq);
    expect(rig.hypervisor.boundTo(pirq)).toMatchObject({ vector: 0 });
    expect(rig.hypervisor.count('mapMsi')).toBe(2);
  });

  it('takes effect when the data stays the same, and another pirq in the place of the first', () => {
    const rig = running();
    writePirq(rig, 2, 60);
    writePirq(rig, 2, 0x13c);
    expect(rig.hypervisor.pirqsInUse()).toEqual([16, 79, 0x13c]);
    expect(rig.hypervisor.boundTo(0x13c)).toMatchObject({ vector: 0 });
    expect(rig.device.msixEnabled).toBe(true);
    expect(rig.hypervisor.violations).toEqual([]);
  });

  it('waits while the function is masked', () => {
    const rig = runningRig();
    rig.guest().writeConfig(0xa2, 0xc000, 2);
    writePirq(rig, 2, 60);
    expect(rig.hypervisor.count('mapMsi')).toBe(0);
    rig.guest().writeConfig(0xa2, 0x8000, 2);
    expect(rig.hypervisor.boundTo(60)).toMatchObject({ vector: 0 });
  });
});

it('M11: masks that Xen keeps to itself are learnt from the device before the table moves', () => {
  const rig = runningRig(undefined, { barAccess: true });
  for (let entry = 0; entry < 2; entry += 1) unmaskEntry(rig, entry);
  enableMsix(rig);
  expect(rig.hypervisor.count('bindMsi')).toBe(2);
  rig.device.bar(3).hold(12, 1);
  rig.device.bar(3).hold(28, 0);
  rig.guest().placeBar(3, home.bar3 + 0x10_0000);
  expect(rig.model.view('01:00.0').vectors.slice(0, 2)).toMatchObject([
    { bound: false, masked: true },
    { bound: true, masked: false },
  ]);
  expect(rig.hypervisor.violations).toEqual([]);
});
