import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ActName } from './support/expected-guest.js';
import { exploreEverything } from './support/explore.js';
import { fullCard } from './support/full-card.js';
import { Interleaver } from './support/interleaver.js';
import { memoryBar } from './support/network-card.js';
import type { RigOptions } from './support/rig.js';

// What operators, a guest, kills, takeovers and the death of the domain do to one another, in every order: a process
// is killed between any two of its calls to Xen, notes on disk and writes to the device, also of a takeover, and the
// domain dies before any call. Every step is made in every state that can be come to, so that the sequences of 12 steps
// and all longer ones are made of steps that were seen to be right. That needs states with one key to have one future:
// the key is all that a model saves, all that Xen holds and all registers of the device (whole-state.ts), a kill leaves
// nothing else, and a model that was just taken over must do in every state what the one did that lived on.

const image = fullCard({
  msixVectorCount: 1,
  msi: false,
  vpd: false,
  resources: [memoryBar(3, 0xe004_0000n, 0x4000n)],
});

interface Scenario {
  readonly name: string;
  readonly acts: readonly ActName[];
  readonly options: RigOptions;
  readonly least: { readonly states: number; readonly stepsMade: number; readonly depth: number };
  readonly leastSequences: bigint;
}

const scenarios: readonly Scenario[] = [
  {
    name: 'a driver',
    acts: ['attach', 'detach', 'stop', 'home', 'move', 'decode', 'hide', 'enable', 'disable', 'unmask', 'reset'],
    options: {},
    least: { states: 1179, stepsMade: 12_332, depth: 12 },
    leastSequences: 3_300_000_000_000n,
  },
  {
    name: 'BARs that are mapped when touched',
    acts: ['attach', 'detach', 'drive', 'touch', 'hide', 'decode', 'move'],
    options: { barAccess: true },
    least: { states: 364, stepsMade: 3062, depth: 6 },
    leastSequences: 59_000_000_000n,
  },
  {
    name: 'hot-plug',
    acts: ['attach', 'detach', 'stop', 'drive', 'expect', 'passOn', 'ignore', 'eject'],
    options: {},
    least: { states: 395, stepsMade: 2963, depth: 7 },
    leastSequences: 450_000_000_000n,
  },
];

// Thousands of processes are killed by an exception whose trace nobody reads.
const { stackTraceLimit } = Error;
beforeAll(() => void (Error.stackTraceLimit = 0));
afterAll(() => void (Error.stackTraceLimit = stackTraceLimit));

it.each(scenarios.map((one) => [one.name, one] as const))('%s: every interleaving', (name, scenario) => {
  const { acts, options, least, leastSequences } = scenario;
  const { sequences, ...report } = exploreEverything(new Interleaver(acts, { images: [image], ...options }));
  const sequencesOf12 = sequences(12);
  process.stdout.write(`${name}: ${JSON.stringify(report)}, ${sequencesOf12} sequences of at most 12 steps\n`);
  expect(report.states).toBeGreaterThanOrEqual(least.states);
  expect(report.stepsMade).toBeGreaterThanOrEqual(least.stepsMade);
  expect(report.depth).toBeGreaterThanOrEqual(least.depth);
  expect(sequencesOf12).toBeGreaterThanOrEqual(leastSequences);
});
