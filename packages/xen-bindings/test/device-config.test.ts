import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeviceConfig } from '../src/device-config.js';
import { ensureAddon } from './support/build.js';

const content = Uint8Array.from({ length: 4096 }, (_, index) => (index * 37 + 0x80) & 0xff);
const expected = new DataView(content.buffer);

let folder: string;
let path: string;
beforeAll(ensureAddon);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenpt-device-config-'));
  path = join(folder, 'config');
  writeFileSync(path, content);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('DeviceConfig', () => {
  it('reads in each width, unsigned, to the last byte', () => {
    using config = DeviceConfig.open(path);
    for (const offset of [0, 4, 0xfc, 0x100, 4092]) {
      expect(config.read(offset, 4)).toBe(expected.getUint32(offset, true));
      expect(config.read(offset + 2, 2)).toBe(expected.getUint16(offset + 2, true));
      expect(config.read(offset + 3, 1)).toBe(expected.getUint8(offset + 3));
    }
  });

  it('writes exactly the bytes of the width', () => {
    const after = Uint8Array.from(content);
    {
      using config = DeviceConfig.open(path);
      config.write(4, 4, 0xfedc_ba98);
      config.write(0x42, 2, 0x1234);
      config.write(4095, 1, 0xff);
    }
    after.set([0x98, 0xba, 0xdc, 0xfe], 4);
    after.set([0x34, 0x12], 0x42);
    after.set([0xff], 4095);
    expect(new Uint8Array(readFileSync(path))).toEqual(after);
  });

  it('gives all ones of the width for what cannot be read, and nothing of the read before', () => {
    using config = DeviceConfig.open(path);
    const odd = [[1, 2], [2, 4], [4096, 1], [0xffff_fffc, 4], [0, 3], [0, 8], [0, 0]] as const; // prettier-ignore
    const ones = [0xffff, 0xffff_ffff, 0xff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff];
    for (const [index, [offset, width]] of odd.entries()) {
      config.read(0, 4);
      expect(config.read(offset, width)).toBe(ones[index]);
      if (width !== 1 && width !== 2 && width !== 4) expect(() => config.write(offset, width, 0)).toThrow(RangeError);
    }
    truncateSync(path, 66);
    expect([config.read(64, 2), config.read(64, 4), config.read(0x80, 1)]).toEqual([
      expected.getUint16(64, true),
      0xffff_ffff,
      0xff,
    ]);
  });

  it('says what the kernel refused', () => {
    expect(() => DeviceConfig.open(join(folder, 'nothing'))).toThrow(
      expect.objectContaining({ code: 'XEN_CALL_FAILED', call: 'open', errnoName: 'ENOENT' }),
    );
    using full = DeviceConfig.open('/dev/full');
    expect(() => full.write(4, 2, 7)).toThrow(
      expect.objectContaining({ code: 'XEN_CALL_FAILED', call: 'pwrite', errnoName: 'ENOSPC' }),
    );
    const config = DeviceConfig.open(path);
    expect(() => config.write(4096, 4, 0)).toThrow(RangeError);
    config.close();
    config.close();
    expect(config.read(0, 4)).toBe(0xffff_ffff);
    expect(() => config.write(0, 4, 0)).toThrow(expect.objectContaining({ code: 'XEN_CLOSED' }));
  });
});
