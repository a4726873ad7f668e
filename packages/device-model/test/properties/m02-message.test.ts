import { describe, expect, it } from 'vitest';
import { bytesWritten } from '../support/full-card.js';
import { at } from '../support/network-card.js';
import { boundVectors, enableVectors, msiControl, msiRig, writeMessage } from '../support/msi-card.js';
import type { Rig } from '../support/rig.js';

const destinations = (rig: Rig) => {
  const binds = rig.hypervisor.calls.filter(({ name }) => name === 'bindMsi');
  return binds.map(({ arguments: [, vector, flags] }) => [vector, Number(flags) & 0xff]);
};

it('M2: address and data go into bind calls and nowhere else', () => {
  const rig = msiRig();
  enableVectors(rig);
  const since = rig.device.writes.length;
  writeMessage(rig, 0xfee0_3000, 0x4050);
  expect(boundVectors(rig)).toEqual([0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57]);
  expect(bytesWritten(rig, since)).toEqual(new Set());
  expect(rig.hypervisor.violations).toEqual([]);
});

describe('M2: a message that is changed while enabled is never given to Xen half', () => {
  it.each([
    ['with the data, even if that stays the same', (rig: Rig) => rig.guest().writeConfig(at.msi + 12, 0x4048, 2)],
    ['with another write', (rig: Rig) => rig.guest().command(7)],
    ['with a read', (rig: Rig) => void rig.guest().readConfig(at.msi + 2, 2)],
  ])('%s', (_, next) => {
    const rig = msiRig(0x0080);
    enableVectors(rig, 1);
    const before = destinations(rig).length;
    rig.guest().writeConfig(at.msi + 4, 0xfee0_5000);
    rig.guest().writeConfig(at.msi + 8, 0);
    expect(destinations(rig).length).toBe(before);
    next(rig);
    expect(destinations(rig).slice(before)).toEqual([[0x48, 5]]);
  });

  it('and not at all when it is off by then', () => {
    const rig = msiRig(0x0080);
    enableVectors(rig, 1);
    rig.guest().writeConfig(at.msi + 4, 0xfee0_5000);
    enableVectors(rig, 0);
    expect(destinations(rig)).toHaveLength(1);
    enableVectors(rig, 1);
    expect(destinations(rig).at(-1)).toEqual([0x48, 5]);
  });
});

it('M2: low bits of the data are the function’s own, whatever the guest has there', () => {
  const rig = msiRig(msiControl.plain);
  writeMessage(rig, 0xfee0_1000, 0x404d);
  enableVectors(rig, 0x0021);
  expect(boundVectors(rig)).toEqual([0x4c, 0x4d, 0x4e, 0x4f]);
  expect(rig.device.writes.at(-1)?.value).toBe(0x0086 | 0x0021);
});
