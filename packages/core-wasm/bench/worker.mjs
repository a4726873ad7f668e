// One scan by one thread against the pool, this thread and one worker: npm run build, then
//   node bench/worker.mjs [MiB of bitmap, default 32] [passes, default 3] [operations, default all: count,extract]
// Both are timed in turn, over the same bitmap in the same shared memory, and two ratios are printed: that of the least
// times of all rounds, and the median of that of the passes' medians. Other work on the machine takes the second
// processor away, which one thread does not notice and two do: beside it only the least times mean something.
// The goal holds for 32 MiB (1 TiB of guest) and the first three operations.
import { BitmapCore, DirtyBitmap } from '../dist/index.js';
import { ScanPool } from '../dist/worker.js';

const sizeMiB = Number(process.argv[2] ?? 32);
const passes = Number(process.argv[3] ?? 3);
const chosen = process.argv[4]?.split(',');
/** Of one pass, as long as it takes less than so many ms. */
const rounds = 100;
const budgetMs = 400;
const goal = 1.5;
const pageCount = sizeMiB * 2 ** 23;
const core = new BitmapCore({ shared: true, maximumBytes: 1.5 * 2 ** 30 });
const [bitmap, into, source] = [0, 1, 2].map(() => DirtyBitmap.allocate(core, pageCount));
// Below their limit scans do not leave this thread; what is measured here is what leaving it would give.
const pool = await ScanPool.open({ threads: 1, ownThread: true, offloadBytes: 0 });

const ownCounts = new Uint32Array(pageCount / 512);
const sharedCounts = new SharedArrayBuffer(ownCounts.byteLength);

/** Each has a way for one thread and a way for the pool; both give a number, and it must be the same. */
const operations = {
  count: { one: () => bitmap.count(), pooled: () => pool.count(bitmap) },
  extract: {
    one: () =>
      lengthsOf(
        (from) => bitmap.extract(from),
        ({ pages }) => pages,
      ),
    pooled: () => pooledLengths(pool.extract(bitmap), ({ pages }) => pages),
  },
  histogram: {
    // Both into an array that is used again: what the system takes for 2 MiB of fresh memory is not the scan's.
    one: () => histogramInto(ownCounts),
    pooled: async () => (await pool.histogram(bitmap, 512, { counts: sharedCounts })).counts[1],
  },
  runs: {
    one: () =>
      lengthsOf(
        (from) => bitmap.runs(from),
        ({ pairs }) => pairs,
      ),
    pooled: () => pooledLengths(pool.runs(bitmap), ({ pairs }) => pairs),
  },
  harvest: {
    prepare: () => {
      bitmap.or(source);
      into.clear();
    },
    one: () => bitmap.harvest(into),
    pooled: () => pool.harvest(bitmap, into),
  },
};
const withGoal = new Set(['count', 'extract', 'histogram']);

function histogramInto(counts) {
  for (let from = 0; from < pageCount;) {
    const batch = bitmap.histogram(512, from);
    counts.set(batch.counts, batch.firstRegion);
    from = batch.nextFrame;
  }
  return counts[1];
}

function lengthsOf(batchAt, numbers) {
  let [total, check] = [0, 0];
  for (let from = 0; from < pageCount;) {
    const batch = batchAt(from);
    const found = numbers(batch);
    total += found.length;
    check ^= found[0] ?? 0;
    from = batch.nextFrame;
  }
  return check === -1 ? check : total;
}

async function pooledLengths(batches, numbers) {
  let [total, check] = [0, 0];
  for await (const batch of batches) {
    const found = numbers(batch);
    total += found.length;
    check ^= found[0] ?? 0;
  }
  return check === -1 ? check : total;
}

/** density: share of dirty pages; runPages: pages of a run on the average. */
function fill(density, runPages) {
  const bytes = bitmap.bytes;
  bytes.fill(0);
  let state = 12345;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  if (density >= 0.5 && runPages === 1) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    for (let index = 0; index < words.length; index++) words[index] = density === 1 ? -1 : next() * 2 ** 32;
  } else if (density > 0) {
    const gap = (runPages * (1 - density)) / density;
    for (let page = next() * 2 * gap; page < pageCount; page += runPages + next() * 2 * gap) {
      const start = Math.floor(page);
      for (let at = start; at < Math.min(start + runPages, pageCount); at++) bytes[at >>> 3] |= 1 << (at & 7);
    }
  }
  source.clear();
  source.or(bitmap);
}

const median = (numbers) => numbers.sort((one, two) => one - two)[numbers.length >> 1];

async function timed(work, prepare) {
  prepare?.();
  const start = performance.now();
  const result = await work();
  return { ms: performance.now() - start, result };
}

async function pass({ one, pooled, prepare }) {
  const [alone, together] = [[], []];
  const start = performance.now();
  for (let round = 0; round < rounds && (round < 3 || performance.now() - start < budgetMs); round++) {
    const [first, second] = [await timed(one, prepare), await timed(pooled, prepare)];
    if (first.result !== second.result) throw new Error(`${first.result} is not ${second.result}`);
    alone.push(first.ms);
    together.push(second.ms);
  }
  return { alone, together };
}

function ratiosOf(results) {
  const all = (key) => results.flatMap((result) => result[key]);
  const [ms, pooledMs] = [Math.min(...all('alone')), Math.min(...all('together'))];
  const medians = results.map(({ alone, together }) => median(alone) / median(together));
  return { ms, pooledMs, least: ms / pooledMs, middle: median(medians) };
}

const fillings = [
  ['0 %', 0, 1],
  ['0.01 %', 0.0001, 1],
  ['1 %', 0.01, 1],
  ['10 % clustered', 0.1, 64],
  ['50 %', 0.5, 1],
  ['100 %', 1, 1],
];
const rows = {};
for (const [name, density, runPages] of fillings) {
  fill(density, runPages);
  for (const [operation, ways] of Object.entries(operations)) {
    if (chosen && !chosen.includes(operation)) continue;
    await pass(ways);
    const results = [];
    for (let index = 0; index < passes; index++) results.push(await pass(ways));
    (rows[operation] ??= []).push({ name, ...ratiosOf(results) });
  }
}
await pool.close();

const column = (value, width) => value.toFixed(2).padStart(width);
const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

console.log(`${sizeMiB} MiB of bitmap, this thread and one worker, ${passes} passes of up to ${rounds} rounds\n`);
console.log('                             least time of all rounds       ratio of');
console.log('operation  dirty            one thread        pool     least   medians');
for (const [operation, cells] of Object.entries(rows)) {
  for (const { name, ms, pooledMs, least, middle } of cells) {
    const times = `${column(ms, 9)} ms ${column(pooledMs, 8)} ms`;
    console.log(`${operation.padEnd(10)} ${name.padEnd(15)} ${times} ${column(least, 8)}x ${column(middle, 8)}x`);
  }
  const means = ['least', 'middle'].map((key) => geometricMean(cells.map((cell) => cell[key])));
  const verdict = (mean) => (mean >= goal ? 'met' : 'MISSED');
  const target = withGoal.has(operation) ? `goal ${goal}x: ${means.map(verdict).join(', ')}` : 'no goal';
  const summary = means.map((mean) => `${column(mean, 8)}x`).join(' ');
  console.log(`${operation.padEnd(10)} geometric mean${' '.repeat(25)} ${summary}; ${target}\n`);
}
