import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Core, CoreRangeError, CoreTypeError, MessageTable, MessageTableEvent } from '../src/index.js';
import { builds, guarded } from './builds.js';
import { MessageTableModel } from './message-table-model.js';
import { anyU32 } from './register-file-model.js';

const { messageChanged, masked, unmasked, dataWritten } = MessageTableEvent;

const refusedReads: readonly [offset: number, size: number][] = [
  [0, 0],
  [0, 1],
  [0, 2],
  [0, 3],
  [4, 5],
  [4, 7],
  [0, 16],
  [0, 2 ** 32 + 4],
  [0, Number.NaN],
  [1, 4],
  [2, 4],
  [4, 8],
  [12, 8],
  [44, 8],
  [48, 4],
  [48, 8],
  [4092, 4],
  [0xffff_fff0, 4],
  [0xffff_fff8, 8],
  [2 ** 32, 4],
  [-16, 4],
  [0.5, 4],
  [Number.NaN, 4],
];

describe.each(builds)('MessageTable, %s build', (build) => {
  const make = (entryCount = 3): MessageTable => new MessageTable(new Core({ build }), entryCount);

  test('after reset all words are 0, all entries masked and none changed', () => {
    const table = make();
    const expectReset = (): void => {
      for (let index = 0; index < 3; index++) {
        expect([table.addressLow(index), table.addressHigh(index), table.data(index)]).toEqual([0, 0, 0]);
        expect([table.isMasked(index), table.isChanged(index)]).toEqual([true, false]);
      }
    };
    expectReset();
    for (let offset = 0; offset < 48; offset += 4) table.write(offset, 4, 0xffff_fffe, 0);
    expect([table.isMasked(1), table.isChanged(1), table.data(1)]).toEqual([false, true, 0xffff_fffe]);
    table.reset();
    expectReset();
  });

  test('words are read back where they were written, unsigned', () => {
    const table = make();
    table.write(16, 4, 0xfee0_0000, 0);
    table.write(20, 4, 0x8000_0001, 0);
    table.write(24, 4, 0xffff_ffff, 0);
    expect(table.addressLow(1)).toBe(0xfee0_0000);
    expect(table.addressHigh(1)).toBe(0x8000_0001);
    expect(table.data(1)).toBe(0xffff_ffff);
    expect([table.read(16, 8), table.high]).toEqual([0xfee0_0000, 0x8000_0001]);
    expect([table.read(20, 4), table.high]).toEqual([0x8000_0001, 0]);
    expect([table.read(24, 8), table.high]).toEqual([0xffff_ffff, 1]);
  });

  test('a message counts as changed only when a word gets another value, until the host says otherwise', () => {
    const table = make();
    expect(table.write(0, 4, 0, 0)).toBe(0);
    expect(table.isChanged(0)).toBe(false);
    expect(table.write(24, 4, 7, 0)).toBe((1 << 8) | messageChanged | dataWritten);
    expect([table.isChanged(0), table.isChanged(1), table.isChanged(2)]).toEqual([false, true, false]);
    expect(table.write(24, 4, 7, 0)).toBe((1 << 8) | dataWritten);
    expect(table.isChanged(1)).toBe(true);
    table.setChanged(1, false);
    expect(table.isChanged(1)).toBe(false);
    table.setChanged(2, true);
    expect(table.isChanged(2)).toBe(true);
  });

  test('M12: unmasking is reported at every write, masking when it happens; control never counts as a change', () => {
    const table = make();
    expect(table.write(28, 4, 1, 0)).toBe(0);
    expect(table.write(28, 4, 0, 0)).toBe((1 << 8) | unmasked);
    expect(table.write(28, 4, 0, 0)).toBe((1 << 8) | unmasked);
    expect(table.isMasked(1)).toBe(false);
    expect(table.write(28, 4, 1, 0)).toBe((1 << 8) | masked);
    expect(table.write(28, 4, 1, 0)).toBe(0);
    expect(table.isMasked(1)).toBe(true);
    expect(table.isChanged(1)).toBe(false);
  });

  test('control keeps bit 0 only', () => {
    const table = make();
    expect(table.write(12, 4, 0xffff_fffe, 0)).toBe(unmasked);
    expect(table.read(12, 4)).toBe(0);
    expect(table.write(12, 4, 0xffff_ffff, 0)).toBe(masked);
    expect(table.read(12, 4)).toBe(1);
  });

  test('M6: eight bytes over data and control use the upper half for control, and both count', () => {
    const table = make();
    expect(table.write(40, 8, 0x41, 0)).toBe((2 << 8) | messageChanged | dataWritten | unmasked);
    expect([table.data(2), table.isMasked(2)]).toEqual([0x41, false]);
    expect(table.write(40, 8, 0x41, 1)).toBe((2 << 8) | dataWritten | masked);
    expect(table.write(32, 8, 0x10, 0x20)).toBe((2 << 8) | messageChanged);
    expect([table.addressLow(2), table.addressHigh(2)]).toEqual([0x10, 0x20]);
    expect(table.write(32, 8, 0x10, 0x21)).toBe((2 << 8) | messageChanged);
  });

  test('the high argument of a 4-byte write is not looked at', () => {
    const table = make();
    table.write(0, 4, 1, 0xffff_ffff);
    expect(table.addressHigh(0)).toBe(0);
    expect(table.write(8, 4, 1, 0)).toBe(messageChanged | dataWritten);
    expect(table.isMasked(0)).toBe(true);
  });

  test.each(refusedReads)('M5, M6: at offset %d, size %d: all ones, nothing written', (offset, size) => {
    const table = make();
    table.read(0, 4);
    expect(table.read(offset, size)).toBe(0xffff_ffff);
    expect(table.high).toBe(0xffff_ffff);
    expect(table.write(offset, size, 0, 0)).toBe(0);
    expect(table.write(offset, size, 0xffff_fffe, 0xffff_fffe)).toBe(0);
    for (let word = 0; word < 12; word++) expect(table.read(4 * word, 4)).toBe(word % 4 === 3 ? 1 : 0);
  });

  test('the largest table: the last entry is reported with its index', () => {
    const table = make(2048);
    expect(table.write(2047 * 16 + 8, 8, 5, 0)).toBe((2047 << 8) | messageChanged | dataWritten | unmasked);
    expect(table.isChanged(2047)).toBe(true);
    expect(table.isChanged(2046)).toBe(false);
    expect(table.write(2048 * 16, 4, 5, 0)).toBe(0);
  });

  test('tables of one core are apart', () => {
    const core = new Core({ build });
    const tables = [new MessageTable(core, 1), new MessageTable(core, 5), new MessageTable(core, 1)];
    tables.forEach((table, index) => table.write((table.entryCount - 1) * 16, 8, index + 1, 0));
    expect(tables.map((table) => table.addressLow(table.entryCount - 1))).toEqual([1, 2, 3]);
    tables[1]?.reset();
    expect(tables.map((table) => table.isChanged(table.entryCount - 1))).toEqual([true, false, true]);
    expect([tables[0]?.read(8, 8), tables[2]?.read(99, 4), tables[0]?.high]).toEqual([0, 0xffff_ffff, 1]);
  });

  test.each([0, -1, 2049, 1.5, Number.NaN, 2 ** 32 + 1])('%d entries are refused', (entryCount) => {
    expect(() => make(entryCount)).toThrow(CoreRangeError);
  });

  test.each([-1, 3, 0.5, Number.NaN, 2 ** 32])('entry index %d is refused', (index) => {
    const table = make();
    for (const call of [
      () => table.addressLow(index),
      () => table.addressHigh(index),
      () => table.data(index),
      () => table.isMasked(index),
      () => table.isChanged(index),
      () => table.setChanged(index, true),
    ]) {
      expect(call).toThrow(RangeError);
    }
  });

  test('an entry index of another kind is refused', () => {
    expect(() => make().data('0' as unknown as number)).toThrow(CoreTypeError);
  });

  test('every access in every state of two entries gives the answer of the model', () => {
    const table = make(2);
    for (let state = 0; state < 1 << 10; state += 1) {
      for (const [offset, size, low, high] of smallAccesses) {
        const model = new MessageTableModel(2);
        setState(table, model, state);
        const given = table.write(offset, size, low, high);
        const expected = model.write(offset, size, low, high);
        if (given !== encode(expected)) expect(decode(given), `${state}: ${offset}, ${size}`).toEqual(expected);
        const [modelLow, modelHigh] = model.read(offset, size);
        if (table.read(offset, size) !== modelLow || table.high !== modelHigh) expect.unreachable(`read ${offset}`);
        const after = model.entries.map((_, index) => snapshot(table, index));
        if (bitsOf(after) !== bitsOf(model.entries)) expect(after, `${state}: ${offset}`).toEqual(model.entries);
      }
    }
  });

  const anyOffset = fc.oneof(
    { weight: 6, arbitrary: fc.nat(24).map((index) => 4 * index) },
    { weight: 1, arbitrary: fc.oneof(fc.nat(200), fc.constantFrom(2 ** 32, 0xffff_fffc, -8)) },
  );
  const anySize = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(4, 8) }, { weight: 1, arbitrary: fc.nat(17) });
  // Few values, so that equal ones are written often.
  const anyWord = fc.oneof(fc.nat(3), anyU32);
  const anyStep = fc.tuple(fc.constantFrom('read', 'write', 'commit'), anyOffset, anySize, anyWord, anyWord);

  test('random accesses give the answers of the model, and touch no other memory', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 80 }), (steps) => {
        const core = new Core({ build });
        const { result: table, changedOutside } = guarded(core, () => new MessageTable(core, 5));
        const model = new MessageTableModel(5);
        for (const [kind, offset, size, low, high] of steps) {
          if (kind === 'read') {
            expect([table.read(offset, size), table.high]).toEqual(model.read(offset, size));
          } else if (kind === 'write') {
            expect(decode(table.write(offset, size, low, high))).toEqual(model.write(offset, size, low, high));
          } else {
            table.setChanged(low % 5, high % 2 === 0);
            const entry = model.entries[low % 5];
            if (entry) entry.changed = high % 2 === 0;
          }
        }
        expect(model.entries.map((_, index) => snapshot(table, index))).toEqual(model.entries);
        expect(changedOutside()).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('M5: no offset and no size changes memory outside the table, or the table from outside it', () => {
    const core = new Core({ build });
    const { result: table, changedOutside } = guarded(core, () => new MessageTable(core, 5));
    const extremes = [2 ** 16, 2 ** 28, 2 ** 31 - 8, 2 ** 31, 2 ** 32 - 80, 2 ** 32 - 8, 2 ** 32 - 1];
    for (const offset of [...Array(4096 - 80).keys()].map((index) => index + 80).concat(extremes)) {
      for (const size of [0, 1, 2, 3, 4, 8, 12, 16, 0xffff_ffff]) {
        if (table.write(offset, size, 0x1234_5678, 0x1234_5678) !== 0) expect.unreachable(`${offset}, ${size}`);
        if (table.read(offset, size) !== 0xffff_ffff || table.high !== 0xffff_ffff) {
          expect.unreachable(`offset ${offset}, size ${size} was read`);
        }
      }
      expect(changedOutside()).toEqual([]);
    }
    for (let index = 0; index < 5; index++) {
      expect(snapshot(table, index)).toEqual({
        addressLow: 0,
        addressHigh: 0,
        data: 0,
        masked: true,
        changed: false,
      });
    }
    for (let offset = 0; offset < 80; offset++)
      table.write(offset, offset % 3 === 0 ? 8 : 4, 0xffff_fffe, 0xffff_fffe);
    expect(changedOutside()).toEqual([]);
  });
});

/** Writes inside and around two entries, in every size, of few values. */
const smallAccesses = [-8, -4, 0, 1, 2, 4, 8, 12, 16, 20, 24, 26, 28, 32, 36].flatMap((offset) =>
  [1, 2, 4, 8].flatMap((size) =>
    [0, 1].flatMap((low) => (size === 8 ? [0, 1] : [0]).map((high) => [offset, size, low, high] as const)),
  ),
);

/** Five bits an entry: address low, high, data, masked, changed. */
function setState(table: MessageTable, model: MessageTableModel, state: number): void {
  for (const [index, entry] of model.entries.entries()) {
    const bit = (at: number): number => (state >>> (index * 5 + at)) & 1;
    const words = [bit(0), bit(1), bit(2), bit(3)] as const;
    for (const [word, value] of words.entries()) table.write(16 * index + 4 * word, 4, value, 0);
    table.setChanged(index, bit(4) === 1);
    [entry.addressLow, entry.addressHigh, entry.data] = words;
    entry.masked = words[3] === 1;
    entry.changed = bit(4) === 1;
  }
}

function bitsOf(entries: readonly ReturnType<typeof snapshot>[]): string {
  return entries.map((e) => [e.addressLow, e.addressHigh, e.data, +e.masked, +e.changed].join()).join();
}

function encode({ index, flags }: ReturnType<typeof decode>): number {
  const bits = Object.entries(MessageTableEvent).filter(([name]) => flags.has(name));
  return bits.reduce((sum, [, flag]) => sum | flag, index << 8);
}

function snapshot(table: MessageTable, index: number) {
  return {
    addressLow: table.addressLow(index),
    addressHigh: table.addressHigh(index),
    data: table.data(index),
    masked: table.isMasked(index),
    changed: table.isChanged(index),
  };
}

/** The inverse of `index << 8 | flags`. */
function decode(event: number): { index: number; flags: Set<string> } {
  const names = Object.entries(MessageTableEvent).filter(([, flag]) => (event & flag) !== 0);
  return { index: event >>> 8, flags: new Set(names.map(([name]) => name)) };
}
