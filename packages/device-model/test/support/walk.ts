/** Something whose behaviour a model foretells: each step is made on both. */
export interface Walk<State, Step> {
  readonly initial: State;
  readonly steps: readonly Step[];
  readonly next: (state: State, step: Step) => State;
  readonly perform: (step: Step) => void;
  /** What the thing itself remembers, besides what the state says; two things that differ in it are not the same. */
  readonly memory: () => string;
  /** Throws when the thing is not as the state says. */
  readonly check: (state: State) => void;
}

export interface WalkReport {
  /** Pairs of a state and what the thing remembers in it. */
  readonly states: number;
  readonly stepsMade: number;
  /** Steps from the initial state to the one that is farthest from it. */
  readonly depth: number;
}

interface Place<State> {
  readonly state: State;
  /** By step, the key of where it leads; undefined for a step not yet made here. */
  readonly leadsTo: (string | undefined)[];
}

/**
 * Makes every step in every state that can be come to, in one long walk, and compares after each. When it ends, what
 * the thing does depends on nothing but the states it was compared in, so that every sequence of steps, however long,
 * is made of steps that were seen to be right.
 */
export function walkEverywhere<State, Step>(walk: Walk<State, Step>): WalkReport {
  const places = new Map<string, Place<State>>();
  const keyOf = (state: State) => `${JSON.stringify(state)} ${walk.memory()}`;
  const arrive = (state: State): string => {
    const key = keyOf(state);
    if (!places.has(key)) places.set(key, { state, leadsTo: walk.steps.map(() => undefined) });
    return key;
  };
  const start = arrive(walk.initial);
  let here = start;
  let stepsMade = 0;
  const trail: Step[] = [];
  const make = (index: number) => {
    const place = found(places.get(here));
    const step = found(walk.steps[index]);
    trail.push(step);
    stepsMade += 1;
    try {
      walk.perform(step);
      const state = walk.next(place.state, step);
      walk.check(state);
      const there = arrive(state);
      const before = place.leadsTo[index];
      if (before !== undefined && before !== there) throw new Error(`led to ${before} before, and now to ${there}`);
      place.leadsTo[index] = there;
      here = there;
    } catch (cause) {
      const last = trail.slice(-12).map((one) => JSON.stringify(one));
      throw new Error(`in ${here}: step ${last.at(-1) ?? ''} after ${last.slice(0, -1).join(' ')}`, { cause });
    }
  };
  for (;;) {
    const way = wayToSomethingNew(places, here);
    if (way === null) break;
    for (const index of way) make(index);
  }
  return { states: places.size, stepsMade, depth: depthFrom(places, start) };
}

/** The shortest way to a step that was never made, with that step at its end. */
function wayToSomethingNew<State>(places: ReadonlyMap<string, Place<State>>, from: string): number[] | null {
  const ways = new Map<string, number[]>([[from, []]]);
  for (const [key, way] of ways) {
    const { leadsTo } = found(places.get(key));
    const untried = leadsTo.indexOf(undefined);
    if (untried >= 0) return [...way, untried];
    for (const [index, there] of leadsTo.entries()) {
      if (there !== undefined && !ways.has(there)) ways.set(there, [...way, index]);
    }
  }
  return null;
}

function depthFrom<State>(places: ReadonlyMap<string, Place<State>>, start: string): number {
  const depths = new Map<string, number>([[start, 0]]);
  for (const [key, depth] of depths) {
    for (const there of found(places.get(key)).leadsTo) {
      if (there !== undefined && !depths.has(there)) depths.set(there, depth + 1);
    }
  }
  return Math.max(...depths.values());
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the walk has lost its way');
  return value;
}
