import fc from 'fast-check';
import { expect, it } from 'vitest';

import {
  formatHiddenFunctions,
  GrammarError,
  parseHiddenFunctions,
  parseXapiDevices,
} from '../../src/grammar/index.js';

it('reads what xen-pciback.hide hides, with every wildcard that the kernel knows', () => {
  expect(parseHiddenFunctions('(0000:03:00.0)(04:00.*) (0001:05:*.*)')).toEqual([
    { segment: 0, bus: 3, device: 0, function: 0, short: false, column: 1 },
    { segment: 0, bus: 4, device: 0, function: '*', short: true, column: 15 },
    { segment: 1, bus: 5, device: '*', function: '*', short: false, column: 25 },
  ]);
  expect(parseHiddenFunctions('')).toEqual([]);
});

it.each([
  ['(0000:03:00.0', 14],
  ['0000:03:00.0', 1],
  ['(0000:03:00.0),(0000:04:00.0)', 15],
  ['(0000:03:00.0)(0000:04:20.0)', 24],
  ['(0000:03:*.0)', 10],
  ['()', 2],
])('refuses %j at column %i', (text, column) => {
  expect(() => parseHiddenFunctions(text)).toThrow(expect.objectContaining({ code: 'PCI_GRAMMAR', column }) as Error);
});

it('writes the full form, which is read back', () => {
  const any = fc.record({
    segment: fc.integer({ min: 0, max: 0xffff }),
    bus: fc.integer({ min: 0, max: 0xff }),
    device: fc.integer({ min: 0, max: 0x1f }),
    function: fc.oneof(fc.integer({ min: 0, max: 7 }), fc.constant('*' as const)),
  });
  const everyDevice = any.map((hidden) => ({ ...hidden, device: '*' as const, function: '*' as const }));
  fc.assert(
    fc.property(fc.array(fc.oneof(any, everyDevice), { maxLength: 10 }), (hidden) => {
      const read = parseHiddenFunctions(formatHiddenFunctions(hidden));
      expect(read.map(({ segment, bus, device, function: fn }) => ({ segment, bus, device, function: fn }))).toEqual(
        hidden,
      );
      expect(read.every(({ short }) => !short)).toBe(true);
    }),
  );
});

it("reads XAPI's list; a mistake is told in the column of the whole", () => {
  expect(
    parseXapiDevices('0/0000:03:00.0,1/0000:04:00.1').map(({ order, address }) => [order, address?.bus]),
  ).toEqual([
    [0, 3],
    [1, 4],
  ]);
  expect(() => parseXapiDevices('0/0000:03:00.0,0/04:00.1')).toThrow(
    expect.objectContaining({ column: 18, suggestion: '0/0000:03:00.0,0/0000:04:00.1' }) as Error,
  );
});

it('throws nothing but GrammarError, whatever the text, and is bounded', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:.*(), /]{0,60}$/)), (text) => {
      for (const parse of [parseHiddenFunctions, parseXapiDevices]) {
        try {
          parse(text);
        } catch (error) {
          if (!(error instanceof GrammarError)) throw error;
        }
      }
    }),
    { numRuns: 2000 },
  );
  expect(() => parseHiddenFunctions('(0000:03:00.0)'.repeat(100_000))).toThrow(/longer than 4096/);
  expect(() => parseXapiDevices(','.repeat(1_000_000))).toThrow(/more than 512 devices/);
});
