import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { extendedRegisters } from '../../src/capabilities/extended/extended-capability.js';
import { describeFields } from '../../src/config-space/describe.js';
import { decodeExtendedSpace, extendedCapabilities, readLittleEndian } from '../../src/index.js';
import { recordedDevices } from '../support/fixtures.js';
import { ImageBuilder } from '../support/image.js';
import { faultsOf } from '../support/registers.js';

const folder = new URL('../../src/capabilities/extended/', import.meta.url);
/** Not a capability, but what several have in common. */
const shared = ['channels.ts', 'extended-capability.ts', 'index.ts', 'resizable.ts', 'words.ts'];
const files = readdirSync(folder).filter((file) => !shared.includes(file));
const header = (id: number, next: number): number => ((next << 20) | (1 << 16) | id) >>> 0;

describe('the list', () => {
  it('has each id of PCI Express 5.0 once, and one file for each', () => {
    expect(extendedCapabilities.map(({ id }) => id)).toEqual(Array.from({ length: 0x2c }, (_, index) => index + 1));
    expect(files.length).toBe(extendedCapabilities.length);
    expect(new Set(extendedCapabilities.map(({ name }) => name)).size).toBe(extendedCapabilities.length);
  });

  it.each(files)('%s cites its specification', (file) => {
    expect(readFileSync(new URL(file, folder), 'utf8')).toMatch(/^\/\/ PCI Express Base 5.0 (§|appendix )/m);
  });

  it.each(extendedCapabilities)(
    '$name has sound registers and says what it means, whatever its bytes',
    (capability) => {
      expect(capability.meaning).toMatch(/^[A-Z].{20,}\.$/);
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 4, maxLength: 256 }), (bytes) => {
          const registers = extendedRegisters(capability, bytes);
          expect(faultsOf(registers, 0x100)).toEqual([]);
          for (const { offset } of Object.values(registers)) expect(offset).toBeGreaterThanOrEqual(4);
          const texts = [capability.summary?.(bytes) ?? 'none', ...(capability.remarks?.(bytes) ?? [])];
          for (const register of Object.values(registers)) {
            const value = readLittleEndian(bytes, register.offset, register.width);
            texts.push(...describeFields(register, value).map(({ text }) => text ?? 'plain'));
          }
          for (const text of texts) expect(text).not.toMatch(/undefined|NaN|\[object|^$/);
        }),
        { numRuns: 100 },
      );
    },
  );
});

describe('a function', () => {
  it('has what the recording has: an 82574L its errors and its serial number', () => {
    const e1000e = recordedDevices().find(({ name }) => name === 'e1000e');
    const { capabilities, fault } = decodeExtendedSpace(e1000e?.image.config ?? new Uint8Array());
    expect(fault).toBeNull();
    expect(capabilities.map(({ offset, name }) => [offset, name])).toEqual([
      [0x100, 'Advanced Error Reporting'],
      [0x140, 'Device Serial Number'],
    ]);
    expect(capabilities[1]?.registers['serialLow']?.value).toBe(0xff12_3456);
  });

  it('without extended space, or with nothing in it, has an empty list', () => {
    expect(decodeExtendedSpace(new Uint8Array(256))).toEqual({ capabilities: [], fault: null });
    expect(decodeExtendedSpace(new Uint8Array(4096))).toEqual({ capabilities: [], fault: null });
    expect(decodeExtendedSpace(new Uint8Array(4096).fill(0xff))).toEqual({ capabilities: [], fault: null });
  });

  it('that makes new functions is told so, with how many', () => {
    const { config } = new ImageBuilder(4096).u32(0x100, header(0x10, 0)).u16(0x10e, 7);
    const [capability] = decodeExtendedSpace(config).capabilities;
    expect(capability).toMatchObject({ name: 'Single Root I/O Virtualization', version: 1 });
    expect(capability?.registers['totalFunctions']?.value).toBe(7);
  });

  it('may have something nobody knows', () => {
    const { config } = new ImageBuilder(4096).u32(0x100, header(0x7777, 0));
    expect(decodeExtendedSpace(config).capabilities).toMatchObject([
      { name: 'Extended capability 0x7777', meaning: null, registers: {} },
    ]);
  });
});

describe('a hostile list ends', () => {
  const faultOf = (image: ImageBuilder) => decodeExtendedSpace(image.config).fault;

  it.each([
    ['at itself', new ImageBuilder(4096).u32(0x100, header(1, 0x100)), 'second time'],
    ['before the space', new ImageBuilder(4096).u32(0x100, header(1, 0x40)), 'before'],
    ['at all ones', new ImageBuilder(4096).u32(0x100, header(1, 0x200)).u32(0x200, 0xffff_ffff), 'all ones'],
  ])('%s', (_name, image, fault) => {
    expect(faultOf(image)).toContain(fault);
  });

  it('whatever is in it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4096, maxLength: 4096 }), (config) => {
        expect(decodeExtendedSpace(config).capabilities.length).toBeLessThanOrEqual(480);
      }),
      { numRuns: 200 },
    );
  });
});
