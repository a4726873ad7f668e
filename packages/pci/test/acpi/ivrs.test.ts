import fc from 'fast-check';
import { expect, it } from 'vitest';

import { parseIvrs } from '../../src/acpi/ivrs.js';
import { PciError } from '../../src/errors.js';
import { acpiTable, ivmd, join } from './tables.js';

it('reads regions of all devices, of one and of a range', () => {
  const blocks = join(
    new Uint8Array([0x10, 0, 24, 0, ...Array<number>(20).fill(0)]),
    ivmd(0x20, 0, 0, 0x1000n, 0x1000n),
    ivmd(0x21, 0x0108, 0, 0x2000n, 0x1000n),
    ivmd(0x22, 0x0200, 0x02ff, 0x3000n, 0x2000n),
  );
  expect(parseIvrs(acpiTable('IVRS', blocks)).unityRegions).toEqual([
    { start: 0x1000n, end: 0x1fffn, segment: 0, firstDeviceId: 0, lastDeviceId: 0xffff },
    { start: 0x2000n, end: 0x2fffn, segment: 0, firstDeviceId: 0x0108, lastDeviceId: 0x0108 },
    { start: 0x3000n, end: 0x4fffn, segment: 0, firstDeviceId: 0x0200, lastDeviceId: 0x02ff },
  ]);
});

it('refuses a region of no bytes, and one beyond 64 bits', () => {
  expect(() => parseIvrs(acpiTable('IVRS', ivmd(0x20, 0, 0, 0n, 0n)))).toThrow(/covers 0 bytes/);
  expect(() => parseIvrs(acpiTable('IVRS', ivmd(0x20, 0, 0, 1n << 63n, 1n << 63n)))).not.toThrow();
  expect(() => parseIvrs(acpiTable('IVRS', ivmd(0x20, 0, 0, (1n << 63n) + 1n, 1n << 63n)))).toThrow(/covers/);
});

it('any bytes give a table or an error of ours', () => {
  const whole = acpiTable('IVRS', join(ivmd(0x22, 0, 9, 0n, 1n), ivmd(0x21, 0, 9, 0n, 1n)));
  const mutated = fc
    .array(fc.tuple(fc.integer({ min: 4, max: 111 }), fc.nat(255)), { maxLength: 8 })
    .map((changes) => {
      const bytes = whole.slice();
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      try {
        parseIvrs(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(PciError);
      }
    }),
    { numRuns: 3000 },
  );
});
