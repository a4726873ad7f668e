import { expect, it } from 'vitest';
import { fullCard, runningRig } from '../support/full-card.js';

/** As a virtual function answers: no ids, and a pin that it must not have. */
function virtualFunction() {
  const image = fullCard({ interruptPin: 1 });
  image.config.set([0xff, 0xff, 0xff, 0xff], 0);
  return { ...image, vendorId: 0x8086, deviceId: 0x10ca };
}

it('C15: a virtual function has the ids that the host knows, and no interrupt pin', () => {
  const rig = runningRig(virtualFunction());
  expect(rig.guest().readConfig(0)).toBe(0x10ca_8086);
  expect(rig.guest().readConfig(0x3d, 1)).toBe(0);
});

it('C15: the multifunction bit is ours', () => {
  const image = fullCard();
  image.config[0x0e] = 0x80;
  const rig = runningRig(image);
  expect(rig.guest().readConfig(0x0e, 1)).toBe(0);
});
