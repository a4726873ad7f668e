import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGrowth, type DirtyProfile } from '../../src/dirty-rate/index.js';
import { idealProfile } from './simulated-guest.js';

const profile = (
  windows: readonly (readonly [number, number])[],
  more: Partial<DirtyProfile> = {},
): DirtyProfile => ({
  windows: windows.map(([windowMs, pages]) => ({ windowMs, pages, count: 1 })),
  incidence: null,
  memoryPages: 1e6,
  holePages: 0,
  pageSizeBytes: 4096,
  ...more,
});

describe('the growth of the dirty set', () => {
  it('goes through the measured windows', () => {
    const growth = createGrowth(
      profile([
        [100, 50],
        [200, 90],
        [400, 150],
      ]),
    );
    expect([0, 100, 200, 400].map(growth)).toEqual(
      [0, 50, 90, 150].map((value) => expect.closeTo(value, 6) as number),
    );
  });

  it('is nothing for an idle guest, and for none at all', () => {
    expect(createGrowth(profile([]))(1000)).toBe(0);
    expect(
      createGrowth(
        profile([
          [100, 0],
          [200, 0],
        ]),
      )(1e9),
    ).toBe(0);
  });

  it('is that of random writes within 2 % from a 20th of the shortest window on', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 100_000 }),
        fc.double({ min: 0.05, max: 10, noNaN: true }),
        (pages, turns) => {
          const growth = createGrowth(idealProfile(1e6, pages, pages * turns));
          for (const windowMs of [3, 10, 62.5, 100, 180, 333, 700, 1500, 3000, 6000]) {
            const exact = pages * -Math.expm1((-turns * windowMs) / 1000);
            expect(Math.abs(growth(windowMs) - exact)).toBeLessThanOrEqual(0.02 * exact + 1e-6);
          }
        },
      ),
    );
  });

  it('of a hot spot is full at once, not a line from 0 to the first window', () => {
    const growth = createGrowth(
      profile([
        [62.5, 1000],
        [125, 1000],
        [1000, 1000],
      ]),
    );
    expect(growth(5)).toBeGreaterThan(750);
    expect(growth(1e6)).toBe(1000);
  });

  it('of a writer that never repeats goes on as a line', () => {
    const growth = createGrowth(
      profile(
        [
          [500, 500],
          [1000, 1000],
        ],
        { incidence: { samples: 2, once: 1000, twice: 0 } },
      ),
    );
    expect(growth(250)).toBeCloseTo(250, 0);
    expect(growth(5000)).toBeCloseTo(5000, -2);
  });

  it('beyond the longest window approaches what Chao estimates', () => {
    // 10 samples; 200 pages seen once, 100 twice: 0.9 * 200² / 200 = 180 still unseen.
    const growth = createGrowth(
      profile(
        [
          [1000, 400],
          [10_000, 2000],
        ],
        { incidence: { samples: 10, once: 200, twice: 100 } },
      ),
    );
    expect(growth(1e9)).toBeCloseTo(2180, 6);
    expect(growth(20_000)).toBeGreaterThan(2000);
    expect(growth(20_000)).toBeLessThan(2180);
  });

  it('never falls, never bends upwards at the measured windows, never exceeds memory, whatever was measured', () => {
    const point = fc.tuple(
      fc.double({ min: 1, max: 1e5, noNaN: true }),
      fc.double({ min: 0, max: 1e5, noNaN: true }),
    );
    const incidence = fc.option(
      fc.record({ samples: fc.integer({ min: 1, max: 100 }), once: fc.nat(1e5), twice: fc.nat(1e5) }),
    );
    fc.assert(
      fc.property(fc.array(point, { maxLength: 12 }), incidence, (windows, incidence) => {
        const growth = createGrowth(profile(windows, { incidence, memoryPages: 5e4 }));
        let before = 0;
        for (let windowMs = 0; windowMs < 3e5; windowMs = windowMs * 1.07 + 0.1) {
          const pages = growth(windowMs);
          expect(pages).toBeGreaterThanOrEqual(before - 1e-6);
          expect(pages).toBeLessThanOrEqual(5e4);
          before = pages;
        }
        for (const [windowMs, pages] of windows) {
          expect(growth(windowMs)).toBeGreaterThanOrEqual(Math.min(5e4, pages) - 1e-6 * pages - 1e-6);
        }
      }),
    );
  });
});
