/** Something that can be begun anew, and in which steps are made one after the other. */
export interface World {
  begin(): void;
  /** All that decides what becomes of it: two with the same key are the same from here on. */
  key(): string;
  /** What can be done now. */
  steps(): readonly string[];
  /** A way back to here, if nothing lives here that cannot be copied. */
  keep(): (() => void) | null;
  /**
   * Does it.
   *
   * @returns steps that can be made instead of this one, and are known now that it was made
   */
  make(step: string): readonly string[];
  /** Throws when something is not as it must be. */
  check(): void;
}

export interface Exploration {
  readonly states: number;
  /** Pairs of a state and a step. */
  readonly stepsMade: number;
  /** Steps from the first state to the one that is farthest from it. */
  readonly depth: number;
  /** How many sequences of at most so many steps there are, all of them made of steps that were seen to be right. */
  readonly sequences: (length: number) => bigint;
}

interface Way {
  readonly from: Place;
  readonly step: string;
}

interface Place {
  readonly key: string;
  /** As the world named them on arrival. */
  readonly steps: readonly string[];
  readonly untried: string[];
  readonly back: (() => void) | null;
  readonly leadsTo: Map<string, Place>;
  /** The last step of the shortest way that is known to it. */
  cameBy: Way | null;
  /** Another way to it, from a place that can be gone back to. */
  alsoBy: Way | null;
  depth: number;
}

/**
 * Makes every step in every state that can be come to. A state that is come to by another way is not gone on from
 * once more; but where something lives that could remember which way it came, its steps are made again after a way on
 * which that began to live just then, and must lead where they led before.
 */
export function exploreEverything(world: World): Exploration {
  world.begin();
  const places = new Map<string, Place>();
  const arrive = (): Place => {
    const key = world.key();
    const known = places.get(key);
    if (known !== undefined) return known;
    const [steps, back] = [world.steps(), world.keep()];
    const ways = { cameBy: null, alsoBy: null, depth: 0 };
    const place: Place = { key, steps, untried: [...steps], back, leadsTo: new Map(), ...ways };
    places.set(key, place);
    return place;
  };
  const start = arrive();
  let here = start;
  let trail: string[] = [];
  const make = (step: string) => {
    trail.push(step);
    try {
      const more = world.make(step);
      world.check();
      const there = arrive();
      const before = here.leadsTo.get(step);
      if (before === undefined) here.untried.push(...more);
      else if (before !== there) throw new Error(`led to ${before.key} before, and now to ${there.key}`);
      here.leadsTo.set(step, there);
      shorten(there, here, step, start);
      if (here.back !== null) there.alsoBy ??= { from: here, step };
      here = there;
    } catch (cause) {
      throw new Error(`after ${trail.join('; ')}`, { cause });
    }
  };
  const go = (place: Place) => {
    const { from, steps } = wayTo(place);
    if (from.back === null) world.begin();
    else from.back();
    trail = [`(in ${from.key})`, ...steps];
    for (const step of steps) world.make(step);
    if (world.key() !== place.key)
      throw new Error(`${trail.join('; ')} led to ${place.key} before, and now elsewhere`);
    here = place;
  };
  for (const place of places.values()) {
    while (place.untried.length > 0) {
      if (here.untried.length === 0) go(place);
      make(here.untried.shift() ?? '');
    }
  }
  for (const { alsoBy, back, steps } of places.values()) {
    if (alsoBy === null || back !== null) continue;
    for (const step of steps) {
      go(alsoBy.from);
      make(alsoBy.step);
      make(step);
    }
  }
  return report(places, start);
}

function shorten(there: Place, from: Place, step: string, start: Place): void {
  if (there === start || (there.cameBy !== null && there.depth <= from.depth + 1)) return;
  there.cameBy = { from, step };
  there.depth = from.depth + 1;
}

/** From the first state, or from one that can be gone back to. */
function wayTo(place: Place): { readonly from: Place; readonly steps: readonly string[] } {
  const steps: string[] = [];
  let from = place;
  for (; from.back === null && from.cameBy !== null; from = from.cameBy.from) steps.unshift(from.cameBy.step);
  return { from, steps };
}

function report(places: ReadonlyMap<string, Place>, start: Place): Exploration {
  const depths = new Map<Place, number>([[start, 0]]);
  for (const [place, depth] of depths) {
    for (const there of place.leadsTo.values()) if (!depths.has(there)) depths.set(there, depth + 1);
  }
  return {
    states: places.size,
    stepsMade: [...places.values()].reduce((sum, { leadsTo }) => sum + leadsTo.size, 0),
    depth: Math.max(...depths.values()),
    sequences: (length) => countSequences(start, length),
  };
}

function countSequences(start: Place, length: number): bigint {
  let sum = 0n;
  let ways = new Map<Place, bigint>([[start, 1n]]);
  for (let step = 0; step < length; step += 1) {
    const next = new Map<Place, bigint>();
    for (const [place, count] of ways) {
      for (const there of place.leadsTo.values()) next.set(there, (next.get(there) ?? 0n) + count);
    }
    for (const count of next.values()) sum += count;
    ways = next;
  }
  return sum;
}
