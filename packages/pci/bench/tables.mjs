// How long the tables of a device take from its image to the register file, for every recorded one: npm run build, then
// node bench/tables.mjs. The goal of the project: under 1 ms.
import { readFileSync } from 'node:fs';
import { Core, RegisterFile } from '@xenpt/core-wasm';
import { buildGuestView } from '../dist/index.js';

const GOAL_MS = 1;
const rounds = Number(process.argv[2] ?? 20);

const images = readFileSync(new URL('../test/fixtures/devices.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .map(imageOf)
  .filter(({ config }) => (config[0x0e] & 0x7f) === 0);

function imageOf({ name, sizeBytes, rows, resources, irq, vendorId, deviceId }) {
  const config = new Uint8Array(sizeBytes);
  for (const [at, digits] of Object.entries(rows)) config.set(Buffer.from(digits, 'hex'), Number.parseInt(at, 16));
  const ranges = resources.map((one) => ({ ...one, start: BigInt(one.start), sizeBytes: BigInt(one.sizeBytes) }));
  const sbdf = { segment: 0, bus: 0, device: 0, function: 0 };
  return { name, sbdf, config, resources: ranges, irq, vendorId, deviceId };
}

function build(image) {
  const file = new RegisterFile(new Core(), 256);
  for (const { index, rule } of buildGuestView(image, { functionReset: true }).words) file.define(index, rule);
}

const times = images.map((image) => {
  const all = Array.from({ length: rounds }, () => {
    const start = performance.now();
    build(image);
    return performance.now() - start;
  });
  return { name: image.name, first: all[0], median: all.toSorted((a, b) => a - b)[rounds >> 1] };
});
const medians = times.map(({ median }) => median).toSorted((a, b) => a - b);
const slowest = times.toSorted((a, b) => b.median - a.median)[0];
console.table({
  images: images.length,
  'median of medians, ms': medians[medians.length >> 1].toFixed(3),
  [`slowest median (${slowest.name}), ms`]: slowest.median.toFixed(3),
  'the very first in the process, ms': times[0].first.toFixed(3),
});
if (slowest.median >= GOAL_MS) {
  console.error(`over the goal of ${GOAL_MS} ms`);
  process.exitCode = 1;
}
