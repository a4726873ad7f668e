import { describe, expect, it } from 'vitest';
import { fullAt, fullCard, runningRig } from '../support/full-card.js';
import { controls, enableMsix, unmaskEntry } from '../support/messages.js';
import { at } from '../support/network-card.js';
import { enableVectors, msiControl, msiRig } from '../support/msi-card.js';
import { cardName, home, type Rig } from '../support/rig.js';

const kinds: readonly (readonly [string, () => Rig])[] = [
  ['MSI with masks', () => started(msiRig(), enableVectors)],
  ['MSI without', () => started(msiRig(msiControl.plain), enableVectors)],
  [
    'MSI-X',
    () =>
      started(runningRig(fullCard()), (rig) => {
        enableMsix(rig);
        for (let entry = 0; entry < 5; entry += 1) unmaskEntry(rig, entry);
      }),
  ],
];

function started(rig: Rig, start: (rig: Rig) => void): Rig {
  start(rig);
  return rig;
}

describe.each(kinds)('M14: %s', (name, make) => {
  it('is given back when the guest turns it off, and comes again', () => {
    const rig = make();
    for (let round = 0; round < 3; round += 1) {
      rig.guest().writeConfig(name === 'MSI-X' ? controls.msix : controls.msi, 0, 2);
      expect(rig.hypervisor.pirqsInUse()).toEqual([16]);
      if (name === 'MSI-X') enableMsix(rig);
      else enableVectors(rig);
    }
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });

  it('is given back at detach, whichever call Xen refuses meanwhile, however often', () => {
    for (const call of ['unbindMsi', 'unmapPirq'] as const) {
      for (let times = 1; times < 10; times += 1) {
        const rig = make();
        rig.hypervisor.failAt(call, 'ERESTART', times);
        for (let attempt = 0; attempt < 12 && rig.model.devices.length > 0; attempt += 1) {
          try {
            rig.model.detach(cardName);
          } catch (error) {
            expect(error).toMatchObject({ code: 'DEVICE_MODEL_RELEASE_INCOMPLETE' });
          }
        }
        rig.hypervisor.assertBaseline();
      }
    }
  });

  it('is left to Xen when the domain is gone, and the device is quiet', () => {
    const rig = make();
    rig.hypervisor.domainGone = true;
    rig.model.abandon();
    expect([rig.device.msiEnabled, rig.device.msixEnabled, rig.hypervisor.violations]).toEqual([false, false, []]);
  });
});

it('M14: a reset by the guest gives everything back, and the table is as after power-on', () => {
  const rig = runningRig(fullCard());
  enableMsix(rig);
  for (let entry = 0; entry < 5; entry += 1) unmaskEntry(rig, entry);
  rig.guest().writeConfig(fullAt.express + 8, 0x8000, 2);
  expect([rig.hypervisor.pirqsInUse(), rig.device.msixEnabled]).toEqual([[16], false]);
  rig.guest().placeBar(3, home.bar3);
  rig.guest().command(7);
  for (let entry = 0; entry < 5; entry += 1) {
    expect(rig.guest().readMemory(home.bar3 + 16 * entry + 8, 8)).toBe(1n << 32n);
  }
  expect(rig.guest().readConfig(at.msix + 2, 2)).toBe(4);
});
