import fc from 'fast-check';
import { expect, it } from 'vitest';

import { parseDmar } from '../../src/acpi/dmar.js';
import { PciError } from '../../src/errors.js';
import { acpiTable, join, rmrr } from './tables.js';

const region = rmrr(0xe_d000n, 0xe_ffffn, {
  startBus: 0,
  steps: [
    [0x1c, 0],
    [0, 1],
  ],
});

it('reads regions with the path to their devices, under Xen’s name of the table too', () => {
  for (const name of ['DMAR', 'RMAD']) {
    expect(
      parseDmar(acpiTable(name, join(new Uint8Array([0, 0, 16, 0, ...Array<number>(12).fill(0)]), region))),
    ).toEqual({
      interruptRemapping: true,
      hostAddressBits: 39,
      reservedRegions: [
        {
          start: 0xed000n,
          end: 0xeffffn,
          scopes: [
            {
              segment: 0,
              startBus: 0,
              kind: 'endpoint',
              path: [
                { device: 0x1c, function: 0 },
                { device: 0, function: 1 },
              ],
            },
          ],
        },
      ],
    });
  }
});

it.each([
  ['another table', acpiTable('APIC', region), /its signature is "APIC"/],
  ['a length of nothing', acpiTable('DMAR', new Uint8Array([1, 0, 0, 0])), /has length 0/],
  ['a length that leads out', acpiTable('DMAR', new Uint8Array([1, 0, 40, 0, 0, 0])), /has length 40; 6 are left/],
  ['a region that ends early', acpiTable('DMAR', rmrr(2n, 1n, { startBus: 0, steps: [] })), /ends before it starts/],
  ['half a header', new Uint8Array(20), /it has 20 bytes/],
])('refuses %s', (_name, bytes, message) => {
  expect(() => parseDmar(bytes)).toThrow(message);
});

it('any bytes give a table or an error of ours', () => {
  const mutated = fc
    .tuple(fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 8 }), fc.nat(130))
    .map(([changes, length]) => {
      const bytes = acpiTable('DMAR', join(region, region));
      for (const [at, value] of changes) if (at > 3 && at < bytes.length) bytes[at] = value;
      return bytes.subarray(0, length);
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      try {
        expect(parseDmar(bytes).reservedRegions.length).toBeLessThan(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(PciError);
      }
    }),
    { numRuns: 3000 },
  );
});
