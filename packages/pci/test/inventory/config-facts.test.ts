import fc from 'fast-check';
import { expect, it } from 'vitest';

import { readConfigFacts } from '../../src/inventory/config-facts.js';
import { configImage } from '../../src/sysfs/testing/index.js';

const ids = { vendorId: 0x8086, deviceId: 1, classCode: 0x020000 };
const shares = (table: [number, number], pending: [number, number], vectorCount = 4) =>
  readConfigFacts(
    configImage({
      ...ids,
      msix: {
        vectorCount,
        table: { bar: table[0], offset: table[1] },
        pending: { bar: pending[0], offset: pending[1] },
      },
    }),
  ).interrupts.msix?.sharesPage;

it.each([
  ['at the start of a page', [0, 0x2000], [0, 0x3000], false],
  ['behind something else', [2, 0x46800], [2, 0x46000], true],
  ['behind the pending bits of another BAR', [2, 0x46800], [1, 0x46000], true],
  ['right behind its pending bits', [2, 0x46008], [2, 0x46000], false],
] as [string, [number, number], [number, number], boolean][])('a table %s', (_name, table, pending, expected) => {
  expect(shares(table, pending)).toBe(expected);
});

it('a function that is gone answers nothing', () => {
  expect(readConfigFacts(new Uint8Array(4096).fill(0xff))).toMatchObject({
    answers: false,
    extendedCapabilities: [],
  });
});

it('any bytes of any length are read without an error, in bounded work', () => {
  const image = fc.uint8Array({ minLength: 4096, maxLength: 4096 });
  const pieces = fc.tuple(image, fc.constantFrom(0, 1, 63, 64, 256, 4096)).map(([bytes, length]) => {
    bytes[6] = 0x10;
    return bytes.subarray(0, length);
  });
  fc.assert(
    fc.property(pieces, (bytes) => {
      const facts = readConfigFacts(bytes);
      expect(facts.extendedCapabilities.length).toBeLessThanOrEqual(480);
    }),
    { numRuns: 500 },
  );
});
