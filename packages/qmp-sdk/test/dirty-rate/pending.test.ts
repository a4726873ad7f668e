import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pending } from '../../src/dirty-rate/pending.js';

const MEMORY = 10_000;
/** A ring of 1000 pages, 10 pages a millisecond. */
const ring = (windowMs: number) => Math.min(1000, windowMs * 10);

describe('what is pending', () => {
  it('is all memory at first, and after a round that sent it all what was written meanwhile', () => {
    const pending = new Pending(ring, MEMORY);
    expect([pending.pages, pending.initialPages]).toEqual([MEMORY, MEMORY]);
    pending.look(40, 0);
    expect([pending.pages, pending.initialPages]).toEqual([400, 0]);
    pending.look(5000, 0);
    expect(pending.pages).toBe(1000);
  });

  it('counts a page once that was left and is written again', () => {
    const pending = new Pending(ring, MEMORY);
    // Half is left: of the 400 pages written meanwhile that were half, too.
    pending.look(40, 0.5);
    expect([pending.pages, pending.initialPages]).toEqual([400 + 4800, 4800]);
    // 300 are written now. Of the 400 before, half were left, none of them the same: a turn takes 100 ms.
    pending.look(30, 0.5);
    expect(pending.pages).toBe(300 + 200 + (MEMORY - 700) * 0.25);
    // The whole ring is written: of what was left only what lies outside counts.
    pending.look(100, 0.5);
    expect(pending.pages).toBe(1000 + (MEMORY - 1000) * 0.125);
  });

  it('is never less than what was just written, never more than memory, whatever the rounds', () => {
    const rounds = fc.array(
      fc.tuple(fc.double({ min: 0, max: 300, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(rounds, (all) => {
        const pending = new Pending(ring, MEMORY);
        for (const [roundMs, leftShare] of all) {
          pending.look(roundMs, leftShare);
          expect(pending.pages).toBeGreaterThanOrEqual(ring(roundMs));
          expect(pending.pages).toBeLessThanOrEqual(MEMORY * (1 + 1e-9));
        }
      }),
    );
  });

  it('of many rounds adds the oldest together, and loses none', () => {
    const stream = (windowMs: number) => Math.min(MEMORY, windowMs);
    const pending = new Pending(stream, MEMORY);
    for (let round = 0; round < 40; round++) pending.look(100, 1);
    expect(pending.pages).toBeCloseTo(MEMORY, 6);
    const half = new Pending(stream, MEMORY);
    for (let round = 0; round < 40; round++) half.look(100, 0.5);
    expect(half.pages).toBeCloseTo(100 * (1 - 0.5 ** 40) * 2, 0);
  });
});
