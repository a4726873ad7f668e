/** Mean number of different pages dirtied in windows of one length. */
export interface WindowPoint {
  /** Mean length, milliseconds. */
  readonly windowMs: number;
  /** Mean number of different pages. */
  readonly pages: number;
  /** How many windows were looked at. */
  readonly count: number;
}

/** How many samples saw a page: what is left to see is judged by what was seen only once or twice. */
export interface Incidence {
  readonly samples: number;
  /** Pages dirty in exactly one sample. */
  readonly once: number;
  /** Pages dirty in exactly two samples. */
  readonly twice: number;
}

export interface DirtyProfile {
  /** Different pages by length of the window, ascending. */
  readonly windows: readonly WindowPoint[];
  readonly incidence: Incidence | null;
  /** Pages that carry data and are sent in the first round. */
  readonly memoryPages: number;
  /** Pages of the map without memory behind them; a sender names them, but sends no data. */
  readonly holePages: number;
  readonly pageSizeBytes: number;
}

/** Different pages dirtied in `windowMs` milliseconds. Never falls, 0 at 0, at most the guest's memory. */
export type Growth = (windowMs: number) => number;

/** A page more or less must not bend a straight line: the short windows on it say that it begins as one. */
const STRAIGHT = 0.1;
/**
 * Steeper than any measured start: a window a twentieth as long as the shortest measured one sees two thirds of it.
 */
const MAXIMUM_STEEPNESS = 20;

/**
 * The growth curve through the measured windows. A guest that writes the same pages again and again dirties hardly
 * more in a second than in a tenth of it, so the rate alone says little. Below the shortest window the curve is that
 * of random writes, which the two shortest windows fix; between the windows a monotone cubic (Fritsch and Carlson
 * 1980); beyond the longest an exponential approach to Chao's estimate of the pages that were not seen yet.
 */
export function createGrowth(profile: DirtyProfile): Growth {
  const points = concave(profile.windows);
  const last = points.at(-1);
  if (last === undefined || last.pages === 0) return () => 0;
  const first = points[0] ?? last;
  const steepness = steepnessOf(first, points[1]);
  const below = startOf(first, steepness);
  const between = monotoneCubic(points, (first.pages / first.windowMs) * (steepness / Math.expm1(steepness)));
  const beyond = tailOf(points, profile.incidence);
  return (windowMs) => {
    if (windowMs <= 0) return 0;
    if (windowMs <= first.windowMs) return Math.min(profile.memoryPages, below(windowMs));
    if (windowMs <= last.windowMs) return Math.min(profile.memoryPages, between(windowMs));
    return Math.min(profile.memoryPages, beyond(windowMs - last.windowMs));
  };
}

/** The longest window that was measured, milliseconds: what lies beyond is extrapolated. */
export function longestWindowMs(profile: DirtyProfile): number {
  return profile.windows.reduce((longest, { windowMs }) => Math.max(longest, windowMs), 0);
}

/**
 * The upper convex hull from the origin on. A union of windows grows ever more slowly; where measured means do not,
 * that is chance, and the larger value is the careful one.
 */
function concave(windows: readonly WindowPoint[]): WindowPoint[] {
  const hull: WindowPoint[] = [{ windowMs: 0, pages: 0, count: 0 }];
  const sorted = [...windows].filter(({ windowMs }) => windowMs > 0).sort((a, b) => a.windowMs - b.windowMs);
  for (const point of sorted) {
    for (;;) {
      const a = hull.at(-2);
      const b = hull.at(-1);
      if (!a || !b || slope(a, b) >= slope(b, point) * (1 - STRAIGHT)) break;
      hull.pop();
    }
    const previous = hull.at(-1);
    hull.push(previous && previous.pages > point.pages ? { ...point, pages: previous.pages } : point);
  }
  return hull.slice(1);
}

function slope(a: WindowPoint, b: WindowPoint): number {
  return (b.pages - a.pages) / Math.max(b.windowMs - a.windowMs, Number.MIN_VALUE);
}

/** S(1 - exp(-x t/t1)) through the first point. */
function startOf({ windowMs: firstMs, pages }: WindowPoint, x: number): Growth {
  return (windowMs) => (pages * Math.expm1((-x * windowMs) / firstMs)) / Math.expm1(-x);
}

/** The x of that curve through both points; large where the second brings nothing new, 0 where it brings as much. */
function steepnessOf(first: WindowPoint, second: WindowPoint | undefined): number {
  const ratio = second ? second.pages / first.pages : 1;
  const times = second ? second.windowMs / first.windowMs : 2;
  let low = 1e-6;
  let high = MAXIMUM_STEEPNESS;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (Math.expm1(-middle * times) / Math.expm1(-middle) > ratio) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function monotoneCubic(points: readonly WindowPoint[], firstTangent: number): Growth {
  const tangents = points.map((point, index) => {
    const before = points[index - 1];
    const after = points[index + 1];
    if (!before) return after ? Math.min(firstTangent, 3 * slope(point, after)) : 0;
    if (!after) return endTangent(points[index - 2], before, point);
    return meanTangent(before, point, after);
  });
  return (windowMs) => {
    const found = points.findIndex((point) => point.windowMs >= windowMs);
    const right = points[found];
    const left = points[found - 1];
    if (!right || !left) return right?.pages ?? 0;
    const width = right.windowMs - left.windowMs;
    const t = (windowMs - left.windowMs) / width;
    const s = 1 - t;
    const hermite =
      (1 + 2 * t) * s * s * left.pages +
      t * s * s * width * (tangents[found - 1] ?? 0) +
      t * t * (3 - 2 * t) * right.pages -
      t * t * s * width * (tangents[found] ?? 0);
    return Math.min(right.pages, Math.max(left.pages, hermite));
  };
}

/** The harmonic mean of both slopes, weighted by the widths (Fritsch and Butland 1984): no overshoot. */
function meanTangent(before: WindowPoint, point: WindowPoint, after: WindowPoint): number {
  const left = slope(before, point);
  const right = slope(point, after);
  if (left <= 0 || right <= 0) return 0;
  const leftWidth = point.windowMs - before.windowMs;
  const rightWidth = after.windowMs - point.windowMs;
  const weight = (leftWidth + 2 * rightWidth) / (3 * (leftWidth + rightWidth));
  return (left * right) / (weight * right + (1 - weight) * left);
}

/** That of the parabola through the last three points, as far as it does not fall. */
function endTangent(first: WindowPoint | undefined, before: WindowPoint, last: WindowPoint): number {
  const secant = slope(before, last);
  if (!first) return secant;
  const bend = (secant - slope(first, before)) / (last.windowMs - first.windowMs);
  return Math.max(0, secant + bend * (last.windowMs - before.windowMs));
}

/**
 * Pages after the longest window. The slope at its end is that of pages seen once (a page not seen yet is next to be
 * one of them), or of the last measured stretch if that is flatter. Chao's lower bound for incidence data, Q1²/2Q2,
 * says how many are left; Colwell et al. 2012 extrapolate with it.
 */
function tailOf(points: readonly WindowPoint[], incidence: Incidence | null): Growth {
  const last = points.at(-1) ?? { windowMs: 1, pages: 0, count: 0 };
  const before = points.at(-2) ?? { windowMs: 0, pages: 0, count: 0 };
  const measured = slope(before, last);
  if (incidence === null || incidence.samples < 2) return (extraMs) => last.pages + measured * extraMs;
  const { samples, once, twice } = incidence;
  const rate = Math.min(measured, once / last.windowMs);
  if (rate <= 0) return () => last.pages;
  const left = ((samples - 1) / samples) * (twice > 0 ? (once * once) / (2 * twice) : (once * (once - 1)) / 2);
  if (left <= 0) return () => last.pages;
  return (extraMs) => last.pages - left * Math.expm1((-rate * extraMs) / left);
}
