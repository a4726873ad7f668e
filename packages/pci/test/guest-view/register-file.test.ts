import { Core, RegisterFile } from '@xenpt/core-wasm';
import { expect, it } from 'vitest';

import { buildGuestView } from '../../src/index.js';
import { e1000e } from '../support/e1000e.js';

/** The view in the engine it is made for. */
function fileOf(image = e1000e()): RegisterFile {
  const file = new RegisterFile(new Core(), 256);
  for (const { index, rule } of buildGuestView(image).words) file.define(index, rule);
  return file;
}

it('sizes a BAR by dword, word and byte writes', () => {
  const file = fileOf();
  file.write(0x10, 4, 0xffff_ffff, 0xfebc_0000);
  expect(file.read(0x10, 4, 0xfebc_0000)).toBe(0xfffe_0000);
  expect(file.hardwareByteEnables).toBe(0);
  file.write(0x1e, 2, 0x1234, 0xfec4);
  expect(file.read(0x1c, 4, 0xfec4_0000)).toBe(0x1234_0000);
  file.write(0x19, 1, 0xc0, 0xc0);
  expect(file.read(0x18, 4, 0xc041)).toBe(0xc001);
});

it('passes bus master and keeps decode in the device', () => {
  const file = fileOf();
  const changed = file.write(0x04, 2, 0x0007, 0x0403);
  expect(changed).toBe(0x0003);
  expect(file.hardwareByteEnables).toBe(0b0001);
  expect(file.hardwareValue & 0xff).toBe(0x07);
  file.write(0x04, 2, 0x0000, 0x0407);
  expect(file.hardwareValue & 0xff).toBe(0x03);
});

it('drops a write to status, and to bytes nobody described', () => {
  const file = fileOf();
  file.write(0x06, 2, 0xffff, 0x2010);
  expect(file.hardwareByteEnables).toBe(0);
  expect(file.needsHardwareToWrite(0x50, 4)).toBe(false);
  file.write(0x50, 4, 0xffff_ffff, 0);
  expect(file.hardwareByteEnables).toBe(0);
});

it('reports MSI-X enable and the messages of MSI', () => {
  const file = fileOf();
  expect(file.write(0xa2, 2, 0x8000, 4)).toBe(0x8000_0000);
  expect(file.read(0xa2, 2, 0)).toBe(0x8004);
  expect(file.write(0xd4, 4, 0xfee0_0003, 0)).toBe(0xfee0_0000);
  expect(file.hardwareByteEnables).toBe(0);
});
