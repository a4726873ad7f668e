import { expect, it } from 'vitest';
import { bytesWritten, everyAccess, runningRig } from '../support/full-card.js';
import { at } from '../support/network-card.js';

it('XSA-128: no access that touches address or data of MSI writes a byte of them to the device', () => {
  const rig = runningRig();
  const message = Array.from({ length: 12 }, (_, index) => at.msi + 4 + index);
  rig.device.poke(at.msi + 4, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa);
  for (const [offset, width] of everyAccess) {
    if (offset + width <= at.msi || offset >= at.msi + 16) continue;
    rig.guest().writeConfig(offset, 0x5aa5_5aa5, width);
  }
  expect(message.filter((byte) => bytesWritten(rig).has(byte))).toEqual([]);
  expect(rig.device.read(at.msi + 4, 4)).toBe(0x4433_2211);
  expect(rig.guest().readConfig(at.msi + 4)).toBe(0x5aa5_5aa4);
});
