import { expect } from 'vitest';
import { allPages, allRegions, allRuns, type Guarded } from './bitmap-model.js';

/** All reads of one range, against the model. */
export function compareReads({ bitmap, model }: Guarded, start: number, end: number, regionPages: number): void {
  const base = bitmap.baseFrame;
  const [from, to] = [base + start, base + end];
  const expected = model.within(start, end);
  const place = `pages [${start}, ${end}) of ${bitmap.pageCount}, regions of ${regionPages}`;
  expect(bitmap.count(from, to), place).toBe(expected.length);
  expect(bitmap.any(from, to), place).toBe(expected.length > 0);
  expectSame(
    allPages(bitmap, from, to),
    expected.map((page) => base + page),
    place,
  );
  const runs = model.runs(start, end).map((run) => ({ start: base + run.start, length: run.length }));
  expectSame(flat(allRuns(bitmap, from, to)), flat(runs), place);
  expectSame(allRegions(bitmap, regionPages, from, to), model.histogram(regionPages, start, end), place);
}

/** All writes of one range, against the model, on two bitmaps that nothing else may touch. */
export function compareWrites(one: Guarded, other: Guarded, start: number, end: number, atomic: boolean): void {
  const base = one.bitmap.baseFrame;
  const [from, to] = [base + start, base + end];
  const steps: [string, () => unknown, () => unknown][] = [
    ['or', () => one.bitmap.or(other.bitmap, from, to), () => void one.model.add(other.model.within(start, end))],
    [
      'harvest',
      () => one.bitmap[atomic ? 'harvestAtomic' : 'harvest'](other.bitmap, from, to),
      () => {
        const moved = one.model.within(start, end);
        one.model.remove(moved);
        return other.model.add(moved);
      },
    ],
    ['set', () => one.bitmap.set(from, to), () => void one.model.add(range(start, end))],
    [
      'andNot',
      () => one.bitmap.andNot(other.bitmap, from, to),
      () => one.model.remove(other.model.within(start, end)),
    ],
    ['clear', () => other.bitmap.clear(from, to), () => other.model.remove(range(start, end))],
  ];
  for (const [name, run, expected] of steps) {
    const place = `${name} of [${start}, ${end}) of ${one.bitmap.pageCount}`;
    expect(run(), place).toEqual(expected());
    expectState(one, place);
    expectState(other, place);
  }
}

export function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

/** As `toEqual`, which takes a second for what is a matter of milliseconds here, and which tells the difference. */
export function expectSame(actual: readonly number[], expected: readonly number[], place: string): void {
  if (actual.length === expected.length && actual.every((value, index) => value === expected[index])) return;
  expect(actual, place).toEqual(expected);
}

export function flat(runs: readonly { start: number; length: number }[]): number[] {
  return runs.flatMap(({ start, length }) => [start, length]);
}

function expectState(guarded: Guarded, place: string): void {
  const { pages, strayWrites } = guarded.state();
  expectSame(pages, guarded.model.within(0, guarded.bitmap.pageCount), place);
  expect(strayWrites, `${place}: bytes and padding bits outside`).toBe(0);
}
