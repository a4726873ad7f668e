// The goals of the project, and the table that sets what was measured beside them.

/** What a ratio is formed against: implementations of bitmap.mjs, by column. */
export const columns = {
  library: { title: 'TypedFastBitSet', of: () => 'typedfastbitset' },
  scalar: {
    title: 'C (find_next_bit / -mpopcnt)',
    of: (operation) => (['extract', 'runs'].includes(operation) ? 'c-find' : 'c-popcnt'),
  },
  avx2: { title: 'AVX2 C', of: () => 'avx2' },
};

/** Times faster: least over all cells, geometric mean. */
export const goals = {
  count: { library: [7, 12], scalar: [1, 1.5], avx2: [undefined, 0.85] },
  extract: { library: [3, 14], scalar: [0.95, 4], avx2: [undefined, 0.88] },
  runs: { library: [2, 18], scalar: [1, 1.8], avx2: [undefined, 0.8] },
  harvest: { library: [5, 15], scalar: [1.2, 3], avx2: [undefined, 0.8] },
  histogram: { library: [8, 18], scalar: [1.1, 1.8], avx2: [undefined, 1] },
  harvestAtomic: { 'c-xchg': [0.85, undefined], plain: [2, undefined] },
};

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export const geometricMean = (values) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Of cells { operation, size, density, implementation, passes: [ms] }: times the kernels are faster, per pass. */
export function ratiosAgainst(cells, operation, peer) {
  const of = (implementation) =>
    cells.filter((cell) => cell.operation === operation && cell.implementation === implementation);
  const own = new Map(of('kernels').map((cell) => [`${cell.size} ${cell.density}`, cell.passes]));
  return of(peer).flatMap(({ size, density, passes }) => {
    const mine = own.get(`${size} ${density}`);
    if (mine === undefined || passes.length === 0) return [];
    return [{ size, density, ratio: median(passes.map((ms, pass) => ms / mine[pass])) }];
  });
}

const placeOf = ({ size, density }) => `${size} ${density}`;
const times = (value) => (value === undefined ? '–' : `${value >= 10 ? value.toFixed(1) : value.toFixed(2)}×`);

/** One entry: what was measured, the goal, and a mark where the one is below the other. */
function entry(ratios, [leastGoal, meanGoal]) {
  if (ratios.length === 0) return { text: 'not measured', below: false };
  const least = ratios.reduce((a, b) => (a.ratio < b.ratio ? a : b));
  const mean = geometricMean(ratios.map(({ ratio }) => ratio));
  const below = least.ratio < (leastGoal ?? 0) || mean < (meanGoal ?? 0);
  const goal = `goal ${times(leastGoal)} / ${times(meanGoal)}`;
  const text = `${times(least.ratio)} (${placeOf(least)}) / ${times(mean)}  ${goal}`;
  return { text: below ? `${text}  BELOW` : text, below };
}

/** Lines to print, and how many entries are below their goal. */
export function goalTable(cells) {
  const lines = [];
  let below = 0;
  const row = (operation, title, peer, goal) => {
    const result = entry(ratiosAgainst(cells, operation, peer), goal);
    if (result.below) below++;
    lines.push(`${operation.padEnd(14)} ${title.padEnd(30)} ${result.text}`);
  };
  for (const [operation, goal] of Object.entries(goals)) {
    if (operation === 'harvestAtomic') {
      row(operation, 'C xchg', 'c-xchg', goal['c-xchg']);
      row(operation, 'JS Atomics.exchange', 'plain', goal.plain);
      continue;
    }
    for (const [column, { title, of }] of Object.entries(columns)) row(operation, title, of(operation), goal[column]);
  }
  return { lines, below };
}

/** Peers that have no goal: least and geometric mean only. */
export function otherTable(cells) {
  const withGoal = new Set(['kernels', 'typedfastbitset', 'c-find', 'avx2', 'c-xchg']);
  const lines = [];
  for (const operation of new Set(cells.map((cell) => cell.operation))) {
    const peers = new Set(cells.filter((cell) => cell.operation === operation).map((cell) => cell.implementation));
    for (const peer of [...peers].sort()) {
      if (withGoal.has(peer) || (peer === 'c-popcnt' && operation in goals)) continue;
      const ratios = ratiosAgainst(cells, operation, peer);
      if (ratios.length === 0) continue;
      const least = ratios.reduce((a, b) => (a.ratio < b.ratio ? a : b));
      const mean = geometricMean(ratios.map(({ ratio }) => ratio));
      lines.push(
        `${operation.padEnd(14)} ${peer.padEnd(30)} ${times(least.ratio)} (${placeOf(least)}) / ${times(mean)}`,
      );
    }
  }
  return lines;
}
