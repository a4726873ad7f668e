import { expect, it } from 'vitest';
import { bytesWritten, fullAt, fullCard, runningRig } from '../support/full-card.js';
import { at } from '../support/network-card.js';
import { cardName, home, makeRig, placeAll } from '../support/rig.js';

const waysToAsk = [
  ['PCI Express', fullAt.express + 8, 0xa810, 2],
  ['PCI Express by its upper byte', fullAt.express + 9, 0xa8, 1],
  ['PCI Express by a dword', fullAt.express + 8, 0x0000_a810, 4],
  ['Advanced Features', fullAt.features + 4, 1, 1],
] as const;

it.each(waysToAsk)(
  'C14: a reset by %s is carried out by the host after everything is taken back',
  (_name, offset, value, width) => {
    const rig = runningRig();
    rig.guest().writeMemory(home.bar3, 0xfee0_0000);
    rig.guest().writeMemory(home.bar3 + 8, 0x4030);
    rig.guest().writeMemory(home.bar3 + 12, 0);
    rig.guest().writeConfig(at.msix + 2, 0x8000, 2);
    let heldAtReset: string[] = ['the reset never came'];
    rig.device.onReset = () => {
      heldAtReset = rig.hypervisor.held().filter((phrase) => !/function|line|GSI|INTx/i.test(phrase));
    };
    const since = rig.device.writes.length;
    rig.guest().writeConfig(offset, value, width);
    expect(rig.device.resetCount).toBe(1);
    expect(heldAtReset.filter((phrase) => /mapped|claimed|msi/i.test(phrase))).toEqual([]);
    // The bit never reaches the device, and reads 0.
    expect(
      [...bytesWritten(rig, since)].filter((byte) => byte >= 0x40 && byte !== at.msix + 2 && byte !== at.msix + 3),
    ).toEqual([]);
    expect(
      rig.guest().readConfig(offset, width) &
        value &
        (offset === fullAt.features + 4 ? 1 : 0x8000 >>> ((offset & 1) * 8)),
    ).toBe(0);
    expect(rig.hypervisor.violations).toEqual([]);
  },
);

it('C14: afterwards the guest finds registers as at attach, and can set all up again', () => {
  const rig = runningRig();
  rig.guest().writeConfig(fullAt.express + 8, 0x8000, 2);
  expect(rig.guest().readConfig(4, 2) & 0x0747).toBe(0);
  expect(rig.guest().readConfig(0x10)).toBe(0);
  expect(rig.guest().readConfig(fullAt.express + 8, 2)).toBe(0x2810);
  expect(rig.device.command & 7).toBe(3);
  placeAll(rig.guest());
  expect(rig.model.view(cardName).bars.filter(({ mapped }) => mapped).length).toBe(4);
  expect(rig.hypervisor.violations).toEqual([]);
  rig.model.detach(cardName);
  rig.hypervisor.assertBaseline();
});

it('C14: what the host cannot reset is not offered a reset', () => {
  const rig = makeRig({ images: [fullCard()] });
  Object.defineProperty(rig.device, 'reset', { value: undefined });
  rig.attach();
  expect(rig.guest().readConfig(fullAt.express + 4) & 0x1000_0000).toBe(0);
  expect(rig.guest().readConfig(fullAt.features)).toBe(0);
  rig.guest().writeConfig(fullAt.express + 8, 0xffff, 2);
  expect(rig.guest().readConfig(fullAt.express + 8, 2)).toBe(0x7bff);
});

it('C14: nothing is reset while Xen holds on to a part of the function', () => {
  const rig = runningRig();
  rig.hypervisor.failAt('unmapMemory', 'EINVAL', 10);
  rig.guest().writeConfig(fullAt.features + 4, 1, 1);
  expect(rig.device.resetCount).toBe(0);
  expect(rig.guest().readConfig(fullAt.features + 4, 1)).toBe(0);
});
