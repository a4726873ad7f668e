import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Core, RegisterFile, type WordRule } from '../src/index.js';
import { builds, guarded } from './builds.js';
import { anyRule, anyU32, RegisterFileModel } from './register-file-model.js';

type MaskName = keyof WordRule;

/** Every set of masks that one bit may be in: three kinds held here, two of hardware's, each with or without rw1c. */
const legalBits: readonly (readonly MaskName[])[] = [
  ['virtual'],
  ['virtual', 'shadowWrite'],
  ['virtual', 'shadowWrite', 'notify'],
  [],
  ['hardwareWrite'],
].flatMap((names) => [names as MaskName[], [...names, 'rw1c'] as MaskName[]]);

const lanes = [
  [0, 1],
  [1, 1],
  [2, 1],
  [3, 1],
  [0, 2],
  [2, 2],
  [0, 4],
] as const;

const noBits: Record<MaskName, number> = {
  virtual: 0,
  reset: 0,
  shadowWrite: 0,
  hardwareWrite: 0,
  rw1c: 0,
  notify: 0,
};

/** The word whose bit `position` follows `bit` and whose other bits follow `others`. */
function ruleOf(position: number, bit: readonly MaskName[], others: readonly MaskName[]): WordRule {
  const masks = { ...noBits };
  const one = 2 ** position;
  for (const name of others) masks[name] += 0xffff_ffff - one;
  for (const name of bit) masks[name] += one;
  return masks;
}

const withBit = (word: number, position: number, bit: number): number =>
  ((word & ~(1 << position)) | (bit << position)) >>> 0;

function expectSameWrite(
  file: RegisterFile,
  model: RegisterFileModel,
  [offset, width, value, hardware]: readonly [number, number, number, number],
): void {
  const expected = model.write(offset, width, value, hardware);
  const changed = file.write(offset, width, value, hardware);
  if (
    changed !== expected.changed ||
    file.hardwareByteEnables !== expected.byteEnables ||
    file.hardwareValue !== expected.value
  ) {
    // Compared by hand first: a million calls of `expect` would take minutes.
    expect({ changed, byteEnables: file.hardwareByteEnables, value: file.hardwareValue }).toEqual(expected);
  }
}

describe.each(builds)('RegisterFile against the bit model, %s build', (build) => {
  test('every legal bit at every place, among every kind of neighbour, with every value, through every lane', () => {
    const file = new RegisterFile(new Core({ build }), 4);
    const model = new RegisterFileModel(4);
    let cases = 0;
    for (let position = 0; position < 32; position++) {
      for (const bit of legalBits) {
        for (const others of legalBits) {
          const rule = ruleOf(position, bit, others);
          file.define(0, rule);
          model.define(0, rule);
          for (const lane of lanes) {
            for (let values = 0; values < 8; values++) expectSameAccess(file, model, lane, position, values, cases++);
          }
        }
      }
    }
    expect(cases).toBe(32 * 10 * 10 * 7 * 8);
  });

  /** `values`: bit 0 the old shadow, bit 1 the written, bit 2 the hardware value of the bit under test. */
  function expectSameAccess(
    file: RegisterFile,
    model: RegisterFileModel,
    [offset, width]: readonly [number, number],
    position: number,
    values: number,
    seed: number,
  ): void {
    const shadow = withBit(Math.imul(seed, 0x9e37_79b1), position, values & 1);
    const value = withBit(Math.imul(seed, 0x85eb_ca6b) >>> 3, position, (values >> 1) & 1);
    const hardware = withBit(Math.imul(seed, 0xc2b2_ae35) >>> 5, position, (values >> 2) & 1);
    const shift = 8 * offset;
    file.setShadow(0, shadow);
    model.setShadow(0, shadow);
    expectSameWrite(file, model, [offset, width, value >>> shift, hardware >>> shift]);
    const read = file.read(offset, width, hardware >>> shift);
    const expected = model.read(offset, width, hardware >>> shift);
    if (read !== expected || file.shadow(0) !== model.shadow(0)) {
      expect({ read, shadow: file.shadow(0) }).toEqual({ read: expected, shadow: model.shadow(0) });
    }
  }

  const anyOffset = fc.oneof(
    { weight: 6, arbitrary: fc.nat(23) },
    { weight: 1, arbitrary: fc.constantFrom(0xffff_fffc, 2 ** 32, -1, 4096) },
  );
  const anyWidth = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(1, 2, 4) }, { weight: 1, arbitrary: fc.nat(9) });
  const anyStep = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant('write' as const), anyOffset, anyWidth, anyU32, anyU32) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('read' as const), anyOffset, anyWidth, anyU32) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('setShadow' as const), fc.nat(4), anyU32) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('define' as const), fc.nat(4), anyRule) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('reset' as const)) },
  );

  test('random rules and random accesses give the same answers, and touch no other memory', () => {
    fc.assert(
      fc.property(
        fc.array(anyRule, { minLength: 5, maxLength: 5 }),
        fc.array(anyStep, { maxLength: 60 }),
        (rules, steps) => {
          const core = new Core({ build });
          const { result: file, changedOutside } = guarded(core, () => new RegisterFile(core, 20));
          const model = new RegisterFileModel(20);
          rules.forEach((rule, index) => {
            file.define(index, rule);
            model.define(index, rule);
          });
          for (const step of steps) applyStep(file, model, step);
          for (let index = 0; index < 5; index++) expect(file.shadow(index)).toBe(model.shadow(index));
          expect(changedOutside()).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  type Step = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never;

  function applyStep(file: RegisterFile, model: RegisterFileModel, step: Step): void {
    switch (step[0]) {
      case 'write': {
        const [, offset, width, value, hardware] = step;
        expect(file.needsHardwareToWrite(offset, width)).toBe(model.needsHardwareToWrite(offset, width));
        return expectSameWrite(file, model, [offset, width, value, hardware]);
      }
      case 'read': {
        const [, offset, width, hardware] = step;
        expect(file.needsHardwareToRead(offset, width)).toBe(model.needsHardwareToRead(offset, width));
        return expect(file.read(offset, width, hardware)).toBe(model.read(offset, width, hardware));
      }
      case 'setShadow':
        file.setShadow(step[1], step[2]);
        return model.setShadow(step[1], step[2]);
      case 'define':
        file.define(step[1], step[2]);
        return model.define(step[1], step[2]);
      case 'reset':
        file.reset();
        return model.reset();
    }
  }

  test('no offset and no width changes memory outside the file', () => {
    const core = new Core({ build });
    const { result: file, changedOutside } = guarded(core, () => new RegisterFile(core, 64));
    const extremes = [2 ** 16, 2 ** 27, 2 ** 31 - 4, 2 ** 31, 2 ** 32 - 64, 2 ** 32 - 4, 2 ** 32 - 1];
    const offsets = [...Array(4096 + 64).keys(), ...extremes];
    for (let index = 0; index < 16; index++) {
      file.define(index, { ...noBits, virtual: 0xffff_0000, shadowWrite: 0xffff_0000, hardwareWrite: 0xffff });
    }
    for (const offset of offsets) {
      for (const width of [0, 1, 2, 3, 4, 5, 8, 0xffff_ffff]) {
        const changed = file.write(offset, width, 0xffff_ffff, 0);
        if (offset >= 64 && (changed !== 0 || file.hardwareByteEnables !== 0)) {
          expect.unreachable(`offset ${offset}, width ${width} was not refused`);
        }
        file.read(offset, width, 0);
      }
      expect(changedOutside()).toEqual([]);
    }
    for (let index = 0; index < 16; index++) expect(file.shadow(index)).toBe(0xffff_0000);
  });
});
