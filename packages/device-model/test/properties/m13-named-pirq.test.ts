import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { enableMsix, unmaskEntry } from '../support/messages.js';
import { networkCard } from '../support/network-card.js';
import { enableVectors, msiControl, msiRig, writeMessage } from '../support/msi-card.js';
import { cardName, home } from '../support/rig.js';

const nameOf = (pirq: number) => [(0xfee0_0000 | ((pirq & 0xff) << 12)) >>> 0, (pirq & 0xffff_ff00) >>> 0] as const;

it.each([
  ['in range is taken', 60, 60],
  ['above 255 is taken', 0x3e9, 0x3e9],
  ['the largest there can be is taken', 0x7fff_ffff, 0x7fff_ffff],
  ['of zero is none: Xen chooses', 0, 79],
  ['with the top bit is none', 0x8000_0001, 79],
  ['of a line of ours is refused: Xen chooses', 16, 79],
])('M13: a named pirq %s', (_, named, given) => {
  const msi = msiRig(msiControl.plain);
  const [low, high] = nameOf(named);
  writeMessage(msi, low, 0x4300, high);
  enableVectors(msi, 1);
  expect(msi.hypervisor.pirqsInUse()).toEqual([16, given]);
  const msix = runningRig();
  enableMsix(msix);
  msix.guest().writeMemory(home.bar3, low);
  msix.guest().writeMemory(home.bar3 + 4, high);
  msix.guest().writeMemory(home.bar3 + 8, 0x4300);
  msix.guest().writeMemory(home.bar3 + 12, 0);
  expect(msix.hypervisor.pirqsInUse()).toEqual([16, given]);
  expect([...msi.hypervisor.violations, ...msix.hypervisor.violations]).toEqual([]);
});

it('M13: a pirq that another entry, or another function, has is not given twice', () => {
  const rig = runningRig(networkCard({ command: 3 }));
  enableMsix(rig);
  for (let entry = 0; entry < 4; entry += 1) {
    const [low] = nameOf(70);
    rig.guest().writeMemory(home.bar3 + 16 * entry, low);
    rig.guest().writeMemory(home.bar3 + 16 * entry + 8, 0x4300);
  }
  unmaskEntry(rig, 4);
  expect(new Set(rig.hypervisor.pirqsInUse()).size).toBe(6);
  expect(rig.hypervisor.violations).toEqual([]);
  rig.model.detach(cardName);
  rig.hypervisor.assertBaseline();
});
