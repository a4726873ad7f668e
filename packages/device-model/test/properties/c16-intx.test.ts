import { expect, it } from 'vitest';
import { fullCard, runningRig } from '../support/full-card.js';

const intxDisable = 0x0400;

it('C16: with a bound line the guest sets and clears INTx disable in the device', () => {
  const rig = runningRig();
  rig.guest().command(intxDisable | 7);
  expect(rig.device.command & intxDisable).toBe(intxDisable);
  rig.guest().command(7);
  expect(rig.device.command & intxDisable).toBe(0);
});

it('C16: without one it stays set, whatever the guest writes', () => {
  const rig = runningRig(fullCard({ irq: 0 }));
  for (const value of [7, intxDisable | 7, 7, 0]) {
    rig.guest().command(value);
    expect(rig.device.command & intxDisable).toBe(intxDisable);
    expect(rig.guest().readConfig(4, 2) & intxDisable).toBe(value & intxDisable);
  }
});
