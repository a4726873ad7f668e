import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeviceMemory } from '../src/device-memory.js';
import { ensureAddon } from './support/build.js';

const allOnes = 0xffff_ffff;
const content = Uint8Array.from({ length: 3 * 4096 }, (_, index) => (index * 7) & 0xff);

let folder: string;
let path: string;
beforeAll(ensureAddon);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenpt-device-memory-'));
  path = join(folder, 'resource0');
  writeFileSync(path, content);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('DeviceMemory', () => {
  it('reads and writes in each width, on every page', () => {
    using memory = DeviceMemory.open(path);
    const expected = new DataView(Uint8Array.from(content).buffer);
    for (const offset of [0, 8, 4088, 4096, 8192, 3 * 4096 - 8]) {
      expect(memory.read(offset, 1)).toBe(expected.getUint8(offset));
      expect(memory.read(offset, 2)).toBe(expected.getUint16(offset, true));
      expect(memory.read(offset, 4) >>> 0).toBe(expected.getUint32(offset, true));
      expect([memory.read(offset, 8) >>> 0, memory.high >>> 0]).toEqual([
        expected.getUint32(offset, true),
        expected.getUint32(offset + 4, true),
      ]);
    }
    for (const [offset, size] of [
      [1, 1],
      [4098, 2],
      [4100, 4],
      [8192, 8],
    ] as const) {
      memory.write(offset, size, 0x8765_4321, 0xfedc_ba98);
      const value = size === 8 ? 0xfedc_ba98_8765_4321n : BigInt.asUintN(size * 8, 0x8765_4321n);
      for (let byte = 0; byte < size; byte += 1) {
        expected.setUint8(offset + byte, Number((value >> BigInt(8 * byte)) & 0xffn));
      }
    }
    expect(new Uint8Array(readFileSync(path))).toEqual(new Uint8Array(expected.buffer));
  });

  it('gives all ones across a page and behind the end, and writes nothing there', () => {
    using memory = DeviceMemory.open(path);
    for (const [offset, size] of [
      [4095, 2],
      [4094, 4],
      [4092, 8],
      [3 * 4096, 4],
      [2 ** 40, 8],
    ] as const) {
      expect([memory.read(offset, size) >>> 0, memory.high >>> 0]).toEqual([allOnes, size === 8 ? allOnes : 0]);
      memory.write(offset, size, 0, 0);
    }
    expect(new Uint8Array(readFileSync(path))).toEqual(content);
  });

  it('outlives its device: what is gone reads as all ones', () => {
    using memory = DeviceMemory.open(path);
    expect(memory.read(4096, 4) >>> 0).not.toBe(allOnes);
    truncateSync(path, 0);
    expect(memory.read(4096, 4) >>> 0).toBe(allOnes);
    expect([memory.read(8, 8) >>> 0, memory.high >>> 0]).toEqual([allOnes, allOnes]);
    memory.write(4096, 4, 1, 0);
    memory.write(0, 8, 1, 0);
    truncateSync(path, 4096);
    expect(memory.read(0, 4)).toBe(0);
  });

  it.each([
    [-1, 4],
    [0.5, 4],
    [2 ** 53, 4],
    [Number.NaN, 4],
    [0, 3],
    [0, 16],
  ])('takes no offset %s with size %s', (offset, size) => {
    using memory = DeviceMemory.open(path);
    expect(() => memory.read(offset, size)).toThrow(RangeError);
    expect(() => memory.write(offset, size, 0, 0)).toThrow(RangeError);
  });

  it('says what the kernel refused', () => {
    expect(() => DeviceMemory.open(join(folder, 'resource9'))).toThrow(
      expect.objectContaining({ code: 'XEN_CALL_FAILED', call: 'open', errnoName: 'ENOENT' }),
    );
    expect(() => DeviceMemory.open('/dev/null')).toThrow(
      expect.objectContaining({ code: 'XEN_CALL_FAILED', call: 'mmap' }),
    );
    const memory = DeviceMemory.open(path);
    memory.close();
    memory.close();
    expect(() => memory.read(0, 4)).toThrow(expect.objectContaining({ code: 'XEN_CLOSED' }));
    expect(() => memory.write(0, 4, 0, 0)).toThrow(expect.objectContaining({ code: 'XEN_CLOSED' }));
  });
});
