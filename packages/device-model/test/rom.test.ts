import { expect, it } from 'vitest';
import { romImage } from './support/rom-image.js';
import { cardName, makeRig, placeAll, type Rig } from './support/rig.js';

const romAt = 0xf100_0000;

function rigWithRom(): Rig {
  const rig = makeRig();
  rig.attach({ romImage: romImage() });
  placeAll(rig.guest());
  return rig;
}

it('a ROM from a file is read where the guest places and enables it, and only then', () => {
  const rig = rigWithRom();
  const guest = rig.guest();
  expect(guest.sizeOfBar(6)).toBe(4096);
  guest.writeConfig(0x30, romAt);
  expect(guest.readMemory(romAt, 2)).toBe(0xffffn);
  guest.writeConfig(0x30, romAt | 1);
  expect(guest.readMemory(romAt, 2)).toBe(0xaa55n);
  expect(guest.readMemory(romAt + 0x81, 1)).toBe(0x81n);
  expect(guest.readMemory(romAt + 0x84)).toBe(0x8786_8584n);
  expect(guest.readMemory(romAt + 0x88, 8)).toBe(0x8f8e_8d8c_8b8a_8988n);
  expect(rig.model.view(cardName).bars.at(-1)).toMatchObject({ kind: 'rom', mapped: true });
  guest.command(0);
  expect(guest.readMemory(romAt, 2)).toBe(0xffffn);
  expect(rig.hypervisor.violations).toEqual([]);
});

it('behind the file, unaligned and in every write it is all ones and nothing', () => {
  const rig = rigWithRom();
  const guest = rig.guest();
  guest.writeConfig(0x30, romAt | 1);
  for (const offset of [1536, 4092, 4096, 0x83]) expect(guest.readMemory(romAt + offset)).toBe(0xffff_ffffn);
  expect(guest.readMemory(romAt + 1532, 8)).toBe(0xffff_ffff_ffff_ffffn);
  guest.writeMemory(romAt + 0x84, 0);
  expect(guest.readMemory(romAt + 0x84)).toBe(0x8786_8584n);
  expect([rig.device.violations, rig.faults]).toEqual([[], []]);
});

it('its place moves, never stands on another BAR, and is given back', () => {
  const rig = rigWithRom();
  const guest = rig.guest();
  guest.writeConfig(0x30, romAt | 1);
  guest.writeConfig(0x30, 0xf000_0001);
  expect(rig.model.view(cardName).bars.at(-1)).toMatchObject({ mapped: false, refusal: 'overlap' });
  expect(guest.readMemory(romAt, 2)).toBe(0xffffn);
  guest.writeConfig(0x30, (romAt + 0x1000) | 1);
  expect(guest.readMemory(romAt + 0x1000, 2)).toBe(0xaa55n);
  rig.model.detach(cardName);
  rig.hypervisor.assertBaseline();
});

it('does not disturb the table beside it', () => {
  const rig = rigWithRom();
  rig.guest().writeConfig(0x30, romAt | 1);
  expect(rig.guest().readMemory(0xf004_0000 + 12)).toBe(1n);
  rig.guest().placeBar(3, 0xf014_0000);
  expect(rig.guest().readMemory(0xf014_0000 + 12)).toBe(1n);
  expect(rig.guest().readMemory(romAt, 2)).toBe(0xaa55n);
  expect(rig.hypervisor.violations).toEqual([]);
});

it('what is no ROM is refused at attach, and nothing is taken', () => {
  const rig = makeRig();
  expect(() => rig.attach({ romImage: new Uint8Array(512) })).toThrow(/no expansion ROM/);
  rig.hypervisor.assertBaseline();
});

it('without one the guest sizes the device’s and reads all ones; switched off, there is none', () => {
  const rig = makeRig();
  rig.attach();
  placeAll(rig.guest());
  rig.guest().writeConfig(0x30, romAt | 1);
  expect(rig.guest().readMemory(romAt, 2)).toBe(0xffffn);
  const without = makeRig();
  without.attach({ expansionRom: false });
  without.guest().writeConfig(0x30, 0xffff_ffff);
  expect(without.guest().readConfig(0x30)).toBe(0);
});
