// Dirty-bitmap kernels against their peers, in one process over one memory:
//   npm run build, then node bench/bitmap.mjs [--quick] [--cells] [--json=FILE]
//                       [--only=extract,runs] [--sizes=2] [--module=FILE]
// Three passes with other data each; in a pass every repetition runs all implementations one after the other, and the
// least time counts, because a shared machine only ever adds; a ratio is formed inside one pass, and the median of the
// passes is taken. All results are compared with each other first.
import { writeFileSync } from 'node:fs';
import { kernelOperations } from './bitmap/kernels.mjs';
import { fastBitSetOperations, roaringOperations, typedFastBitSetOperations } from './bitmap/libraries.mjs';
import { plainOperations } from './bitmap/plain.mjs';
import { goalTable, median, otherTable } from './bitmap/table.mjs';
import { buildPeers } from './native/build.mjs';

const option = (name) =>
  process.argv.find((text) => text === `--${name}` || text.startsWith(`--${name}=`))?.split('=')[1];
const flag = (name) => process.argv.some((text) => text === `--${name}`);
const { BitmapCore, DirtyBitmap } = await import(option('module') ?? '../dist/index.js');
const quick = flag('quick');
const PASSES = quick ? 1 : 3;
const MEBIBYTE = 2 ** 20;
const sizes = (option('sizes')?.split(',').map(Number) ?? [2, 32]).map((mebibytes) => ({
  mebibytes,
  bytes: mebibytes * MEBIBYTE,
}));
/** What one implementation may take in one cell and pass; it runs once at least, and at most `MOST` times. */
const budgetMs = { 2: quick ? 4 : 12, 32: quick ? 20 : 45 };
const MOST = quick ? 9 : 15;

const uniform = [0, 0.0001, 0.001, 0.01, 0.1, 0.5, 1].map((density) => ({ density, clustered: 0 }));
const clustered = [0.0001, 0.001, 0.01, 0.1, 0.5].map((density) => ({ density, clustered: 1 }));
const densities = [...uniform, ...clustered].map((data) => ({
  ...data,
  name: `${data.density * 100}%${data.clustered ? 'c' : 'u'}`,
}));
const wanted = option('only')?.split(',') ?? [
  'count',
  'extract',
  'runs',
  'harvest',
  'histogram',
  'histogram1g',
  'harvestAtomic',
];

const native = buildPeers();
const MAXIMUM_BYTES = Math.max(...sizes.map(({ bytes }) => bytes));

/** Bitmaps, what they are filled from, and views of them for everybody, for one size. */
function makePlace({ core, storage }, bytes) {
  const view = (address, Type, length) => new Type(core.memory.buffer, address, length);
  const [from, into] = [storage.from, storage.into];
  return {
    core,
    bytes,
    bitmap: new DirtyBitmap(core, from, bytes * 8),
    into: new DirtyBitmap(core, into, bytes * 8),
    fromBytes: view(from, Uint8Array, bytes),
    intoBytes: view(into, Uint8Array, bytes),
    words: view(from, Uint32Array, bytes / 4),
    intoWords: view(into, Uint32Array, bytes / 4),
    pristineFrom: storage.pristineFrom.subarray(0, bytes),
    pristineInto: storage.pristineInto.subarray(0, bytes),
    output: new Uint32Array(65_536 + 64),
    hash: 0,
  };
}

/** Folds what an implementation has put out; the same for all, wherever the batches are cut. */
function hasher(place) {
  return (numbers, length) => {
    let { hash } = place;
    for (let index = 0; index < length; index++) hash = (Math.imul(hash, 31) + numbers[index]) | 0;
    place.hash = hash;
  };
}

function nativeOperation(place, name) {
  const index = native.names.indexOf(name);
  if (index < 0) throw new Error(`no peer ${name}`);
  return (regionPages, checking) => {
    const log = Math.log2(regionPages ?? 512);
    const result = native.run(index, place.fromBytes, place.intoBytes, place.output, log, checking ? 1 : 0);
    if (checking) place.hash = native.hash() | 0;
    return result;
  };
}

/** Every operation: its implementations, and what follows from it. */
async function operationsOf(place, scalarCore) {
  const scalarPlace = { ...place, bitmap: new DirtyBitmap(scalarCore, place.bitmap.address, place.bytes * 8) };
  scalarPlace.into = new DirtyBitmap(scalarCore, place.into.address, place.bytes * 8);
  const makers = {
    kernels: (check) => kernelOperations({ ...place, check }),
    'kernels without SIMD': (check) => kernelOperations({ ...scalarPlace, check }),
    typedfastbitset: (check) => typedFastBitSetOperations({ ...place, check }),
    fastbitset: (check) => fastBitSetOperations({ ...place, check }),
    plain: (check) => plainOperations({ ...place, check }),
  };
  const check = hasher(place);
  const scripted = Object.fromEntries(
    Object.entries(makers).map(([name, make]) => [name, { fast: make(), checked: make(check) }]),
  );
  const of = (operation, names, peers, regionPages) => ({
    regionPages,
    implementations: [
      ...names.map((name) => ({
        name,
        fast: () => scripted[name].fast[operation](regionPages),
        checked: () => scripted[name].checked[operation](regionPages),
      })),
      ...Object.entries(peers).map(([name, peer]) => {
        const run = nativeOperation(place, peer);
        return { name, fast: () => run(regionPages, false), checked: () => run(regionPages, true) };
      }),
    ],
  });
  const names = Object.keys(makers);
  const histogramPeers = { 'c-o2': 'histogram_o2', 'c-popcnt': 'histogram_popcnt', avx2: 'avx2_histogram' };
  const all = {
    count: of('count', names, { 'c-o2': 'count_o2', 'c-popcnt': 'count_popcnt', avx2: 'avx2_count' }),
    extract: of('extract', names, {
      'c-find': 'extract_find_o2',
      'c-words': 'extract_words_popcnt',
      avx2: 'avx2_extract',
    }),
    runs: of('runs', names, { 'c-find': 'runs_find_o2', avx2: 'avx2_runs' }),
    harvest: of('harvest', names, { 'c-o2': 'harvest_o2', 'c-popcnt': 'harvest_popcnt', avx2: 'avx2_harvest' }),
    histogram: of('histogram', names, histogramPeers, 512),
    histogram1g: of('histogram', names, histogramPeers, 2 ** 18),
  };
  await addRoaring(all, place, check);
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name)));
}

/** At 2 MiB only: it has failed to build larger sets, and needs seconds for those it can. */
async function addRoaring(all, place, check) {
  if (place.bytes > 2 * MEBIBYTE) return;
  const positions = () => place.positions;
  const [fast, checked] = [
    await roaringOperations({ ...place, positions }),
    await roaringOperations({ ...place, positions, check }),
  ];
  if (fast === undefined) return console.log('roaring-wasm cannot be loaded here: left out');
  for (const operation of ['count', 'extract']) {
    const name = 'roaring-wasm with its build';
    all[operation].implementations.push({ name, fast: fast[operation], checked: checked[operation] });
  }
}

/** The atomic harvest works on shared memory, which the libraries do not, so it has a place of its own. */
function atomicOperations(place) {
  const scripted = { kernels: kernelOperations(place), plain: plainOperations(place) };
  const names = Object.keys(scripted).map((name) => ({
    name,
    fast: scripted[name].harvestAtomic,
    checked: scripted[name].harvestAtomic,
  }));
  const run = nativeOperation(place, 'harvest_atomic_popcnt');
  return {
    harvestAtomic: {
      implementations: [...names, { name: 'c-xchg', fast: () => run(512, false), checked: () => run(512, true) }],
    },
  };
}

const isHarvest = (operation) => operation.startsWith('harvest');

function restore(place, operation) {
  if (!isHarvest(operation)) return;
  place.fromBytes.set(place.pristineFrom);
  place.intoBytes.set(place.pristineInto);
}

/** Number, hash of the output and, for a harvest, both bitmaps: of every implementation, and all must be equal. */
function compareAll(place, operation, { implementations }) {
  let first;
  for (const { name, checked } of implementations) {
    restore(place, operation);
    place.hash = 0;
    place.output.fill(0xdead_beef);
    new Uint32Array(place.core.memory.buffer, place.core.batchAddress, 65_536).fill(0xdead_beef);
    const parts = [checked(), place.hash];
    if (isHarvest(operation))
      parts.push(Buffer.compare(place.fromBytes, Buffer.alloc(place.bytes)), hashOf(place.intoWords));
    const answer = parts.join(' ');
    first ??= { name, answer };
    if (answer !== first.answer) {
      throw new Error(
        `${operation}, ${place.bytes} bytes, ${place.density}: ${name} says ${answer}, ${first.name} ${first.answer}`,
      );
    }
  }
  return implementations.length - 1;
}

function hashOf(words) {
  let hash = 0;
  for (let index = 0; index < words.length; index++) hash = (Math.imul(hash, 31) + words[index]) | 0;
  return hash;
}

/** Milliseconds of processor time of each: the least of its repetitions, interleaved with the others'. */
function time(place, operation, { implementations }) {
  const samples = implementations.map(() => []);
  const answers = new Map();
  const spent = implementations.map(() => 0);
  const budget = budgetMs[place.bytes / MEBIBYTE] ?? 20;
  for (let repetition = 0; repetition < MOST; repetition++) {
    implementations.forEach(({ name, fast }, index) => {
      if (repetition > 0 && spent[index] > budget) return;
      restore(place, operation);
      const start = native.now();
      const answer = fast();
      const ms = native.now() - start;
      answers.set(answer, name);
      samples[index].push(ms);
      spent[index] += ms;
    });
  }
  if (answers.size !== 1) throw new Error(`${operation}, ${place.density}: ${JSON.stringify([...answers])}`);
  return samples.map((values) => Math.min(...values));
}

function fillPlace(place, { density, clustered: heaps, name }, seed) {
  native.fill(place.pristineFrom, density, heaps, seed);
  native.fill(place.pristineInto, density, heaps, seed + 1);
  place.fromBytes.set(place.pristineFrom);
  place.intoBytes.set(place.pristineInto);
  place.density = name;
  if (place.bytes <= 2 * MEBIBYTE && !place.core.shared) {
    const count = place.bitmap.count();
    place.positions = new Uint32Array(count);
    for (let from = 0, used = 0; from < place.bitmap.endFrame;) {
      const { pages, nextFrame } = place.bitmap.extract(from);
      place.positions.set(pages, used);
      used += pages.length;
      from = nextFrame;
    }
  }
}

function makeStorage(shared) {
  const core = new BitmapCore({ shared, maximumBytes: 2 * MAXIMUM_BYTES + 4 * MEBIBYTE });
  const storage = { from: core.allocate(MAXIMUM_BYTES), into: core.allocate(MAXIMUM_BYTES) };
  storage.pristineFrom = new Uint8Array(MAXIMUM_BYTES);
  storage.pristineInto = new Uint8Array(MAXIMUM_BYTES);
  const fallback = core.allocate(MEBIBYTE);
  return {
    core,
    storage,
    scalarCore: shared ? undefined : new BitmapCore({ memory: core.memory, start: fallback, simd: false }),
  };
}

const cells = new Map();
let compared = 0;

function measure(place, operations, pass) {
  for (const [operation, details] of Object.entries(operations)) {
    // Outputs of 1 GiB are hashed once; the numbers that the operations return are compared in every pass.
    if ((pass === 0 && !quick) || place.bytes <= 2 * MEBIBYTE) compared += compareAll(place, operation, details);
    place.fromBytes.set(place.pristineFrom);
    const results = time(place, operation, details);
    place.fromBytes.set(place.pristineFrom);
    place.intoBytes.set(place.pristineInto);
    details.implementations.forEach(({ name }, index) => {
      const size = `${place.bytes / MEBIBYTE} MiB`;
      const key = `${operation} ${size} ${place.density} ${name}`;
      const cell = cells.get(key) ?? { operation, size, density: place.density, implementation: name, passes: [] };
      cell.passes[pass] = results[index];
      cells.set(key, cell);
    });
  }
}

/** Compilers of all kinds see everything once before anything counts. */
function warm(place, operations) {
  for (const data of [densities[4], densities[9], densities[2], densities[5], densities[10]]) {
    fillPlace(place, data, 77);
    for (const [operation, { implementations }] of Object.entries(operations)) {
      for (let round = 0; round < 3; round++) {
        for (const { fast } of implementations) {
          restore(place, operation);
          fast();
        }
      }
      place.fromBytes.set(place.pristineFrom);
    }
  }
}

const started = performance.now();
const seconds = () => ((performance.now() - started) / 1000).toFixed(0);
const [own, shared] = [makeStorage(false), makeStorage(true)];
const places = [];
for (const { bytes } of sizes) {
  const place = makePlace(own, bytes);
  places.push({ place, operations: await operationsOf(place, own.scalarCore) });
  const atomic = makePlace(shared, bytes);
  if (wanted.includes('harvestAtomic')) places.push({ place: atomic, operations: atomicOperations(atomic) });
}
for (const { place, operations } of places) if (place.bytes <= 2 * MEBIBYTE) warm(place, operations);
for (let pass = 0; pass < PASSES; pass++) {
  for (const { place, operations } of places) {
    densities.forEach((data, index) => {
      fillPlace(place, data, 1000 * pass + 10 * index + place.bytes);
      measure(place, operations, pass);
    });
  }
  console.error(`pass ${pass + 1} of ${PASSES}: ${seconds()} s, ${compared} comparisons, all equal`);
}

const all = [...cells.values()];
if (option('json')) writeFileSync(option('json'), JSON.stringify(all));
if (flag('cells')) {
  for (const { operation, size, density, implementation, passes } of all) {
    const gigabytes = (Number.parseInt(size) * MEBIBYTE) / median(passes) / 1e6;
    console.log(
      [
        operation.padEnd(14),
        size.padEnd(7),
        density.padEnd(7),
        implementation.padEnd(28),
        gigabytes.toFixed(2),
        'GB/s',
      ].join(' '),
    );
  }
}
const { lines, below } = goalTable(all);
console.log(
  `\ntimes as fast as the peer: least (where) / geometric mean over all sizes and densities\n${lines.join('\n')}`,
);
console.log(`\npeers without a goal\n${otherTable(all).join('\n')}`);
const idle = all.find(
  (cell) =>
    cell.operation === 'harvest' &&
    cell.size === '2 MiB' &&
    cell.density === '0%u' &&
    cell.implementation === 'kernels',
);
if (idle)
  console.log(`\nidle map of a 64 GiB guest (2 MiB), harvested: ${median(idle.passes).toFixed(4)} ms, goal 0.1 ms`);
console.log(`${compared} results compared, all equal; ${below} entries below their goal; ${seconds()} s`);
