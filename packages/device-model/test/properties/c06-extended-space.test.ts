import { expect, it } from 'vitest';
import { fullCard, runningRig } from '../support/full-card.js';

function extendedCard() {
  const image = fullCard();
  const config = new Uint8Array(4096);
  config.set(image.config);
  // SR-IOV, then ATS, as a device that has them.
  config.set([0x10, 0x00, 0x01, 0x20, 0, 0, 0, 0, 0x01], 0x100);
  config.set([0x0f, 0x00, 0x01, 0x00], 0x200);
  return { ...image, config };
}

it.each([
  ['256 bytes', fullCard()],
  ['4096 bytes', extendedCard()],
])('C6: of a function with %s a guest reads all ones from 0x100 on', (_name, image) => {
  const rig = runningRig(image);
  for (const offset of [0x100, 0x104, 0x108, 0x200, 0xffc]) {
    expect(rig.guest().readConfig(offset)).toBe(0xffff_ffff);
    expect(rig.guest().readConfig(offset, 2)).toBe(0xffff);
    expect(rig.guest().readConfig(offset + 3, 1)).toBe(0xff);
  }
});

it('C6: no write of a guest reaches it: not SR-IOV, not ATS, nothing', () => {
  const rig = runningRig(extendedCard());
  const since = rig.device.writes.length;
  for (let offset = 0x100; offset < 0x1000; offset += 4) rig.guest().writeConfig(offset, 0xffff_ffff);
  for (const offset of [0x108, 0x206]) rig.guest().writeConfig(offset, 0xffff, 2);
  expect(rig.device.writes.slice(since)).toEqual([]);
});
