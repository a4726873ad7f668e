// Nanoseconds of one access through the built wrappers: npm run build, then node bench/access.mjs [rounds]
import { Core, MessageTable, RegisterFile } from '../dist/index.js';

const rounds = Number(process.argv[2] ?? 5_000_000);
const started = performance.now();
const core = new Core();
const startMs = performance.now() - started;
const file = new RegisterFile(core, 256);
const table = new MessageTable(core, 64);
for (let index = 0; index < 64; index++) {
  const rule = {
    virtual: 0xffff,
    reset: 0,
    shadowWrite: 0xff,
    hardwareWrite: 0xff_0000,
    rw1c: 0xff00_0000,
    notify: 1,
  };
  file.define(index, rule);
}

const cases = {
  'RegisterFile.read': (round) => file.read((round & 63) << 2, 4, round),
  'RegisterFile.write': (round) => file.write((round & 63) << 2, 4, round, round),
  'write + byte enables + value': (round) =>
    file.write((round & 63) << 2, 4, round, round) ^ file.hardwareByteEnables ^ file.hardwareValue,
  'RegisterFile.read, refused': (round) => file.read(256 + (round & 63), 4, round),
  'MessageTable.read': (round) => table.read((round & 255) << 2, 4),
  'MessageTable.write': (round) => table.write((round & 127) << 3, 8, round, round),
};

console.log(`first Core: ${startMs.toFixed(2)} ms, second: ${timeOf(() => new Core()).toFixed(3)} ms`);
let sink = 0;
for (const [name, run] of Object.entries(cases)) {
  const loop = new Function('run', 'rounds', 'let s = 0; for (let i = 0; i < rounds; i++) s ^= run(i); return s;');
  sink ^= loop(run, 200_000);
  const best = Math.min(...[1, 2, 3, 4, 5].map(() => timeOf(() => (sink ^= loop(run, rounds)))));
  console.log(`${name.padEnd(30)} ${((best / rounds) * 1e6).toFixed(1)} ns`);
}
if (sink === 0.5) console.log(sink);

function timeOf(run) {
  const start = performance.now();
  run();
  return performance.now() - start;
}
