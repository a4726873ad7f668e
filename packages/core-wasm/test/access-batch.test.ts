import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AccessBatch, Core, RegisterFile } from '../src/index.js';
import { anyRule, anyU32, RegisterFileModel } from './register-file-model.js';

const FILE_BYTES = 16;
const NUMBERS = 8;

const access = fc.record({
  // What a guest sends: mostly what is right, and anything else.
  offset: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: FILE_BYTES + 4 }) }, anyU32),
  width: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(1, 2, 4) }, anyU32),
  value: anyU32,
  hardware: anyU32,
});

describe.each(['release', 'debug'] as const)('a batch in the %s build', (build) => {
  test('does what its accesses do one by one, in their order', () => {
    fc.assert(
      fc.property(
        fc.array(anyRule, { minLength: 4, maxLength: 4 }),
        fc.array(access, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        (rules, accesses, writes) => {
          const core = new Core({ build });
          const file = new RegisterFile(core, FILE_BYTES);
          const model = new RegisterFileModel(FILE_BYTES);
          rules.forEach((rule, index) => {
            file.define(index, rule);
            model.define(index, rule);
          });
          const batch = new AccessBatch(core, accesses.length);
          accesses.forEach(({ offset, width, value, hardware }, index) =>
            batch.numbers.set([offset, width, value, hardware], index * NUMBERS),
          );
          if (writes) file.writeBatch(batch);
          else file.readBatch(batch);
          accesses.forEach(({ offset, width, value, hardware }, index) => {
            const got = [...batch.numbers.subarray(index * NUMBERS + 4, index * NUMBERS + 7)];
            if (!writes) return expect(got[0]).toBe(model.read(offset, width, hardware));
            const wanted = model.write(offset, width, value, hardware);
            expect(got).toEqual([wanted.changed, wanted.byteEnables, wanted.value]);
          });
          for (const index of rules.keys()) expect(file.shadow(index)).toBe(model.shadow(index));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('touches no access behind its count', () => {
    const core = new Core({ build });
    const file = new RegisterFile(core, FILE_BYTES);
    const batch = new AccessBatch(core, 3);
    for (const index of [0, 1, 2]) batch.numbers.set([0, 4, 0, 0xabcd], index * NUMBERS);
    file.readBatch(batch, 2);
    expect([4, 12, 20].map((at) => batch.numbers[at])).toEqual([0xabcd, 0xabcd, 0]);
  });
});

test('its numbers are there after the core has given out more storage', () => {
  const core = new Core();
  const batch = new AccessBatch(core, 1);
  const file = new RegisterFile(core, FILE_BYTES);
  batch.numbers.set([0, 4, 0, 7]);
  core.allocate(1 << 20);
  expect(batch.numbers).toHaveLength(NUMBERS);
  file.readBatch(batch);
  expect(batch.numbers[4]).toBe(7);
});

test('a batch of another core, and a count that it has not, are refused', () => {
  const core = new Core();
  const file = new RegisterFile(core, FILE_BYTES);
  const batch = new AccessBatch(core, 2);
  expect(() => file.readBatch(new AccessBatch(new Core(), 2))).toThrow(/another core/);
  expect(() => file.writeBatch(batch, 3)).toThrow(/from 0 to 2/);
  expect(() => new AccessBatch(core, 0)).toThrow(/from 1 to 16384/);
});
