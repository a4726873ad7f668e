import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Core, CoreRangeError, CoreTypeError, RegisterFile, type WordRule } from '../src/index.js';
import { builds } from './builds.js';
import { anyRule, anyU32, bitOf, emptyRule } from './register-file-model.js';

const refused: readonly [offset: number, width: number][] = [
  [0, 0],
  [0, 3],
  [0, 5],
  [0, 6],
  [0, 7],
  [0, 8],
  [0, 16],
  [0, -1],
  [0, 2 ** 32 + 4],
  [0, Number.NaN],
  [1, 2],
  [3, 2],
  [1, 4],
  [2, 4],
  [3, 4],
  [16, 1],
  [16, 4],
  [18, 2],
  [4096, 4],
  [0xffff_fffc, 4],
  [0xffff_ffff, 1],
  [2 ** 32, 4],
  [2 ** 32 + 4, 1],
  [-4, 4],
  [0.5, 1],
  [Number.NaN, 4],
  [Number.POSITIVE_INFINITY, 4],
];

const onesOf = (width: number): number => (width > 0 ? Math.min(2 ** (8 * width) - 1, 0xffff_ffff) : 0);

describe.each(builds)('RegisterFile, %s build', (build) => {
  const make = (rules: readonly Partial<WordRule>[]): RegisterFile => {
    const file = new RegisterFile(new Core({ build }), 16);
    rules.forEach((rule, index) => file.define(index, { ...emptyRule, ...rule }));
    return file;
  };

  test('a word without a rule reads as hardware does and lets no write through', () => {
    const file = make([]);
    expect(file.needsHardwareToRead(4, 4)).toBe(true);
    expect(file.read(4, 4, 0xdead_beef)).toBe(0xdead_beef);
    expect(file.needsHardwareToWrite(4, 4)).toBe(false);
    expect(file.write(4, 4, 0xffff_ffff, 0)).toBe(0);
    expect(file.hardwareByteEnables).toBe(0);
    expect(file.shadow(1)).toBe(0);
  });

  test('a read mixes shadow and hardware, each byte and half at its place', () => {
    const file = make([{ virtual: 0x00ff_ff00, reset: 0x1234_5678 }]);
    expect(file.shadow(0)).toBe(0x0034_5600);
    expect(file.read(0, 4, 0xaabb_ccdd)).toBe(0xaa34_56dd);
    expect(file.read(2, 2, 0xaabb)).toBe(0xaa34);
    expect(file.read(1, 1, 0xcc)).toBe(0x56);
    expect(file.read(3, 1, 0xaa)).toBe(0xaa);
    expect(file.needsHardwareToRead(1, 1)).toBe(false);
    expect(file.needsHardwareToRead(2, 2)).toBe(true);
  });

  test('hardware bits above the width of a read do not get out', () => {
    expect(make([]).read(0, 1, 0xffff_ff12)).toBe(0x12);
    expect(make([]).read(2, 2, 0xffff_3456)).toBe(0x3456);
  });

  test('results are unsigned', () => {
    const file = make([
      { virtual: 0xffff_ffff, shadowWrite: 0xffff_ffff, notify: 0xffff_ffff },
      { hardwareWrite: 0xffff_ffff },
    ]);
    expect(file.write(0, 4, 0xffff_ffff, 0)).toBe(0xffff_ffff);
    expect(file.read(0, 4, 0)).toBe(0xffff_ffff);
    expect(file.shadow(0)).toBe(0xffff_ffff);
    file.write(4, 4, 0xffff_ffff, 0);
    expect(file.hardwareValue).toBe(0xffff_ffff);
  });

  test('a write reports changed bits under notify, word-aligned, and only when they change', () => {
    const file = make([{ virtual: 0xffff_ffff, shadowWrite: 0xffff_00ff, notify: 0x00f0_000f }]);
    expect(file.write(2, 2, 0x00ff, 0)).toBe(0x00f0_0000);
    expect(file.write(2, 2, 0x00ff, 0)).toBe(0);
    expect(file.write(0, 4, 0xffff_ffff, 0)).toBe(0x0000_000f);
    expect(file.shadow(0)).toBe(0xffff_00ff);
  });

  test('C3 span: only bytes holding a hardware-writable bit reach hardware', () => {
    const file = make([{ virtual: 0xff00_0000, hardwareWrite: 0x0000_0400 }]);
    expect(file.needsHardwareToWrite(0, 4)).toBe(true);
    file.write(0, 4, 0xffff_ffff, 0x1234_5678);
    expect(file.hardwareByteEnables).toBe(0b0010);
    expect(file.hardwareValue).toBe(0x0000_5600 | 0x0000_0400);
    file.write(2, 2, 0xffff, 0x1234);
    expect(file.hardwareByteEnables).toBe(0);
    expect(file.hardwareValue).toBe(0);
    expect(file.needsHardwareToWrite(2, 2)).toBe(false);
    expect(file.needsHardwareToWrite(0, 1)).toBe(false);
    file.write(1, 1, 0x00, 0x56);
    expect(file.hardwareByteEnables).toBe(0b0010);
    expect(file.hardwareValue).toBe(0x5200);
  });

  test('C4 contained: a dword over a one-byte virtual field obeys that field', () => {
    const file = make([
      { virtual: 0x0000_ff00, reset: 0x0000_2000, shadowWrite: 0x0000_0f00, hardwareWrite: 0x0000_00ff },
    ]);
    file.write(0, 4, 0xffff_ffff, 0xaaaa_aaaa);
    expect(file.read(0, 4, 0x1111_1111)).toBe(0x1111_2f11);
    expect(file.hardwareByteEnables).toBe(0b0001);
    expect(file.hardwareValue).toBe(0xff);
  });

  test('C7 rw1c: given 0 unless the writer wrote 1 and may', () => {
    const file = make([{ hardwareWrite: 0x0000_0081, rw1c: 0x0000_00c0 }]);
    file.write(0, 1, 0x01, 0xff);
    expect(file.hardwareValue).toBe(0b0011_1111);
    file.write(0, 1, 0xff, 0xff);
    expect(file.hardwareValue).toBe(0b1011_1111);
  });

  test('C7 rw1c: a rw1c bit hidden behind a virtual one is not cleared by a neighbour', () => {
    const file = make([{ virtual: 0x80, reset: 0x80, rw1c: 0x80, hardwareWrite: 0x01 }]);
    file.write(0, 1, 0xff, 0xfe);
    expect(file.hardwareByteEnables).toBe(1);
    expect(file.hardwareValue).toBe(0x7f);
  });

  test.each(refused)('C11 refused access at offset %d, width %d: all ones, nothing written', (offset, width) => {
    const all = 0xffff_ffff;
    const file = make([
      { virtual: all, shadowWrite: all, notify: all },
      { hardwareWrite: all },
      { virtual: all, shadowWrite: all, notify: all },
      { hardwareWrite: all },
    ]);
    file.write(4, 4, 0x1234_5678, 0);
    expect(file.hardwareByteEnables).toBe(0b1111);

    expect(file.read(offset, width, 0)).toBe(onesOf(width));
    expect(file.needsHardwareToRead(offset, width)).toBe(false);
    expect(file.needsHardwareToWrite(offset, width)).toBe(false);
    expect(file.write(offset, width, all, all)).toBe(0);
    // What the write before left must not be taken for the result of this one.
    expect(file.hardwareByteEnables).toBe(0);
    expect(file.hardwareValue).toBe(0);
    expect([0, 1, 2, 3].map((index) => file.shadow(index))).toEqual([0, 0, 0, 0]);
  });

  test('setShadow applies no mask, reset restores the rules', () => {
    const file = make([{ virtual: 0x0f, reset: 0xff, hardwareWrite: 0xf0 }]);
    file.setShadow(0, 0xffff_ff00);
    expect(file.shadow(0)).toBe(0xffff_ff00);
    expect(file.read(0, 4, 0)).toBe(0);
    file.write(0, 4, 0, 0);
    file.reset();
    expect(file.shadow(0)).toBe(0x0f);
    expect(file.hardwareByteEnables).toBe(0);
    expect(file.hardwareValue).toBe(0);
    expect(file.needsHardwareToWrite(0, 1)).toBe(true);
  });

  test('define replaces the rule and the shadow of its word only', () => {
    const file = make([
      { virtual: 0xff, reset: 0x11 },
      { virtual: 0xff, reset: 0x22 },
    ]);
    file.define(0, { ...emptyRule, virtual: 0xff00, reset: 0xffff });
    expect([file.shadow(0), file.shadow(1)]).toEqual([0xff00, 0x22]);
  });

  test('files of one core are apart', () => {
    const core = new Core({ build });
    const files = [new RegisterFile(core, 8), new RegisterFile(core, 4), new RegisterFile(core, 8)];
    files.forEach((file, index) => {
      const lastWord = file.sizeBytes / 4 - 1;
      file.define(lastWord, { ...emptyRule, virtual: 0xffff_ffff, reset: index + 1 });
      file.define(0, { ...emptyRule, hardwareWrite: 0xff << (8 * index) });
    });
    files[0]?.write(0, 4, 0x11, 0);
    files[2]?.write(0, 4, 0x33_0000, 0);
    expect(files.map((file) => file.hardwareByteEnables)).toEqual([1, 0, 4]);
    expect(files.map((file) => file.hardwareValue)).toEqual([0x11, 0, 0x33_0000]);
    expect(files[0]?.shadow(1)).toBe(1);
    expect(files[2]?.shadow(1)).toBe(3);
  });

  test.each([0, 2, 3, 6, -4, 65_540, 1.5, Number.NaN, 2 ** 32])('a size of %d bytes is refused', (sizeBytes) => {
    expect(() => new RegisterFile(new Core({ build }), sizeBytes)).toThrow(CoreRangeError);
  });

  test('a contradiction between masks is refused, with the bits, and changes nothing', () => {
    const file = make([{ virtual: 0xff, reset: 0x55 }]);
    const contradictions: [Partial<WordRule>, RegExp][] = [
      [{ virtual: 0x0f, shadowWrite: 0x11 }, /shadowWrite.*0x00000010/],
      [{ virtual: 0x8000_0000, hardwareWrite: 0x8000_0001 }, /hardwareWrite.*0x80000000/],
      [{ virtual: 0xff, shadowWrite: 0x0f, notify: 0x18 }, /notify.*0x00000010/],
    ];
    for (const [rule, sentence] of contradictions) {
      expect(() => file.define(0, { ...emptyRule, ...rule })).toThrow(CoreRangeError);
      expect(() => file.define(0, { ...emptyRule, ...rule })).toThrow(sentence);
      expect(() => file.define(0, { ...emptyRule, ...rule })).toThrow(
        expect.objectContaining({ code: 'CORE_MASKS' }),
      );
    }
    expect(file.shadow(0)).toBe(0x55);
  });

  test.each(['virtual', 'reset', 'shadowWrite', 'hardwareWrite', 'rw1c', 'notify'])('%s must be u32', (name) => {
    const file = make([]);
    for (const value of [-1, 0.5, 2 ** 32, Number.NaN]) {
      expect(() => file.define(0, { ...emptyRule, [name]: value })).toThrow(RangeError);
    }
    for (const value of [undefined, null, '1', 1n]) {
      expect(() => file.define(0, { ...emptyRule, [name]: value })).toThrow(CoreTypeError);
    }
  });

  test.each([-1, 4, 0.5, Number.NaN, 2 ** 32])('word index %d is refused', (index) => {
    const file = make([]);
    expect(() => file.define(index, emptyRule)).toThrow(RangeError);
    expect(() => file.shadow(index)).toThrow(RangeError);
    expect(() => file.setShadow(index, 0)).toThrow(RangeError);
    expect(() => file.setShadow(0, -1)).toThrow(RangeError);
  });

  test('C3, C7 on a device: a write moves the bits it may and no other', () => {
    fc.assert(
      fc.property(anyRule, anyU32, anyU32, fc.constantFrom(1, 2, 4), fc.nat(3), (rule, state, value, width, lane) => {
        const offset = lane - (lane % width);
        const file = make([rule]);
        const lanes = (width === 4 ? 0xffff_ffff : 2 ** (8 * width) - 1) * 2 ** (8 * offset);
        file.write(offset, width, value, Math.floor(state / 2 ** (8 * offset)));
        const after = applyToDevice(state, file.hardwareByteEnables, file.hardwareValue, rule.rw1c);
        for (let position = 0; position < 32; position++) {
          const mayWrite = bitOf(lanes, position) && bitOf(rule.hardwareWrite, position);
          const written = bitOf(value * 2 ** (8 * offset), position);
          const before = bitOf(state, position);
          const expected = !mayWrite ? before : bitOf(rule.rw1c, position) ? before && !written : written;
          expect(bitOf(after, position), `bit ${position}`).toBe(expected);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** A device's own rule for a write of whole bytes: a 1 clears a rw1c bit, all others take what is written. */
function applyToDevice(state: number, byteEnables: number, value: number, rw1c: number): number {
  let after = 0;
  for (let position = 0; position < 32; position++) {
    const before = bitOf(state, position);
    const written = bitOf(value, position);
    const enabled = bitOf(byteEnables, Math.floor(position / 8));
    const next = !enabled ? before : bitOf(rw1c, position) ? before && !written : written;
    if (next) after += 2 ** position;
  }
  return after;
}
