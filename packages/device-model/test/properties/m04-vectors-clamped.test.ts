import { expect, it } from 'vitest';
import { at } from '../support/network-card.js';
import { boundVectors, enableVectors, msiControl, msiRig, writeMessage } from '../support/msi-card.js';

it('M4: never more vectors than the function has, whatever multiple message enable says', () => {
  for (let asked = 0; asked < 8; asked += 1) {
    const rig = msiRig(msiControl.plain);
    enableVectors(rig, (asked << 4) | 1);
    expect(boundVectors(rig)).toHaveLength(Math.min(8, 2 ** asked));
    expect((rig.device.writes.at(-1)?.value ?? 0) & 0x70).toBe(Math.min(3, asked) << 4);
    expect(rig.hypervisor.violations).toEqual([]);
  }
});

it('M4: a host without interrupt remapping, or without pirqs, offers what it can take, and says so', () => {
  const without = msiRig(msiControl.plain, { hypervisor: { interruptRemapping: false } });
  expect(without.guest().readConfig(at.msi + 2, 2) & 0x0e).toBe(0);
  expect(without.reports).toEqual([expect.stringMatching(/1 of 8 MSI vectors.*EOPNOTSUPP/)]);
  const short = msiRig(msiControl.plain, { hypervisor: { messagePirqs: 5 } });
  expect(short.guest().readConfig(at.msi + 2, 2) & 0x0e).toBe(2 << 1);
  enableVectors(short, 0x71);
  expect(boundVectors(short)).toEqual([0x48, 0x49, 0x4a, 0x4b]);
});

it('M4: a guest that names a pirq gets one vector', () => {
  const rig = msiRig(msiControl.plain);
  writeMessage(rig, 0xfee3_7000, 0x4300);
  enableVectors(rig);
  expect(rig.hypervisor.pirqsInUse()).toEqual([16, 0x37]);
  expect(rig.device.writes.at(-1)?.value).toBe(0x0087);
});

it('M4: the number of vectors may be changed while they are on', () => {
  const rig = msiRig(msiControl.plain);
  for (const log2 of [0, 3, 1, 2]) {
    enableVectors(rig, (log2 << 4) | 1);
    expect(boundVectors(rig)).toHaveLength(2 ** log2);
    expect(rig.device.msiEnabled).toBe(true);
  }
  expect(rig.hypervisor.violations).toEqual([]);
});
