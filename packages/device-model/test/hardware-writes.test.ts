import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HardwareWrites, runWidth } from '../src/hardware-writes.js';

const enables = fc.integer({ min: 0, max: 15 });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe('HardwareWrites', () => {
  it('write the enabled bytes, each once, in aligned accesses, and no other byte', () => {
    const writes = new HardwareWrites();
    fc.assert(
      fc.property(enables, u32, (byteEnables, value) => {
        const bytes = new Map<number, number>();
        for (const { offset, width, value: written } of writes.of(0x40, byteEnables, value)) {
          expect(offset % width).toBe(0);
          for (let index = 0; index < width; index += 1) {
            expect(bytes.has(offset + index)).toBe(false);
            bytes.set(offset + index, (written >>> (8 * index)) & 0xff);
          }
          expect(written).toBeLessThanOrEqual(0xffff_ffff >>> (32 - 8 * width));
        }
        for (let lane = 0; lane < 4; lane += 1) {
          const expected = (byteEnables >>> lane) & 1 ? (value >>> (8 * lane)) & 0xff : undefined;
          expect(bytes.get(0x40 + lane)).toBe(expected);
        }
      }),
    );
  });

  it('are the same objects each time, filled anew', () => {
    const writes = new HardwareWrites();
    const [first] = writes.of(4, 0b0001, 0x07);
    expect(writes.of(8, 0b1001, 0xaa00_0055)).toEqual([
      { type: 'writeConfig', offset: 8, width: 1, value: 0x55 },
      { type: 'writeConfig', offset: 11, width: 1, value: 0xaa },
    ]);
    expect(writes.of(8, 0b1001, 0)[0]).toBe(first);
    expect(writes.of(8, 0, 0xffff_ffff)).toEqual([]);
  });
});

describe('runWidth', () => {
  it('covers exactly the enabled bytes with aligned accesses', () => {
    fc.assert(
      fc.property(enables, (byteEnables) => {
        let covered = 0;
        for (let lane = 0; lane < 4;) {
          const width = runWidth(byteEnables, lane);
          if (width > 0) expect(lane % width).toBe(0);
          for (let index = 0; index < width; index += 1) covered |= 1 << (lane + index);
          lane += width || 1;
        }
        expect(covered).toBe(byteEnables);
      }),
    );
    expect([runWidth(0b1111, 0), runWidth(0b1100, 2), runWidth(0b0110, 1), runWidth(0b0011, 0)]).toEqual([
      4, 2, 1, 2,
    ]);
  });
});
