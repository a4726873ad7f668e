// Masked reads and writes of a register file through the built wrappers, one by one and in batches, against the same
// merge in plain typed arrays, in a loop over bytes, and in C (-O2): npm run build, then node bench/access.mjs [rounds]
import { AccessBatch, Core, MessageTable, RegisterFile } from '../dist/index.js';
import { allOnes, BytewiseRegisterFile, PlainRegisterFile } from './access/plain.mjs';
import { median } from './bitmap/table.mjs';
import { buildPeers } from './native/build.mjs';

const rounds = Number(process.argv[2] ?? 25);
const accesses = 4096;
const passes = 60;
const NUMBERS = 8;
const fileBytes = 256;

const peers = buildPeers();
const core = new Core();
const requests = makeRequests();
const rules = makeRules();

/** Loops of their own for each implementation, so that one's types do not slow another down. */
const singleRead = `let s = 0;
  for (let i = 0; i < offsets.length; i++) s ^= file.read(offsets[i], widths[i], hardware[i]);
  return s;`;
const singleWrite = `let s = 0;
  for (let i = 0; i < offsets.length; i++) {
    s ^= file.write(offsets[i], widths[i], values[i], hardware[i]);
    if (file.hardwareByteEnables !== 0) s ^= file.hardwareValue;
  }
  return s;`;
const batchRead = `for (let at = 0; at < numbers.length; at += ${NUMBERS})
  numbers[at + 4] = file.read(numbers[at], numbers[at + 1], numbers[at + 3]);`;
const batchWrite = `for (let at = 0; at < numbers.length; at += ${NUMBERS}) {
  numbers[at + 4] = file.write(numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]);
  numbers[at + 5] = file.hardwareByteEnables;
  numbers[at + 6] = file.hardwareValue;
}`;

const implementations = {
  'core-wasm': ownCases(),
  'plain typed arrays': plainCases(PlainRegisterFile),
  'loop over bytes': plainCases(BytewiseRegisterFile),
  'C -O2': nativeCases(),
};
const kinds = {
  'read, one by one': 'read',
  'write, one by one': 'write',
  'read, in batches': 'reads',
  'write, in batches': 'writes',
};

const agreed = checkAgreement();
const table = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, {}]));
for (const [kind, name] of Object.entries(kinds)) {
  const times = Object.fromEntries(Object.keys(implementations).map((who) => [who, []]));
  for (let round = 0; round < rounds + 3; round++) {
    for (const [who, cases] of Object.entries(implementations)) {
      const spent = timeOf(() => {
        for (let pass = 0; pass < passes; pass++) cases[name]();
      });
      if (round >= 3) times[who].push((spent * 1e6) / (passes * accesses));
    }
  }
  const own = times['core-wasm'];
  for (const who of Object.keys(implementations)) table[kind][who] = `${Math.min(...times[who]).toFixed(2)} ns`;
  for (const who of ['plain typed arrays', 'loop over bytes', 'C -O2']) {
    table[kind][`x ${who}`] = median(times[who].map((value, round) => value / own[round])).toFixed(2);
  }
}
console.log(
  `${accesses} accesses, ${rounds} rounds, processor time; x: times faster, median; results agree: ${agreed}`,
);
console.table(table);
console.table(others());

function makeRequests() {
  let state = 12345;
  const next = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 8;
  const list = Array.from({ length: accesses }, () => {
    const width = [1, 2, 4, 4][next() & 3];
    return [(next() % (fileBytes / width)) * width, width, (next() << 12) ^ next(), (next() << 12) ^ next()].map(
      (n) => n >>> 0,
    );
  });
  const column = (index) => Uint32Array.from(list, (access) => access[index]);
  const numbers = new Uint32Array(accesses * NUMBERS);
  list.forEach((access, index) => numbers.set(access, index * NUMBERS));
  return { offsets: column(0), widths: column(1), values: column(2), hardware: column(3), numbers };
}

function makeRules() {
  // A header's habits: some words wholly ours, some wholly the device's, some mixed.
  const mixed = {
    virtual: 0x0743,
    reset: 0x0400,
    shadowWrite: 0x0743,
    hardwareWrite: 0x0004,
    rw1c: 0xf900_0000,
    notify: 0x0403,
  };
  const ours = {
    virtual: 0xffff_ffff,
    reset: 0,
    shadowWrite: 0xffff_f000,
    hardwareWrite: 0,
    rw1c: 0,
    notify: 0xffff_f000,
  };
  const through = { virtual: 0, reset: 0, shadowWrite: 0, hardwareWrite: 0x00ff_0000, rw1c: 0, notify: 0 };
  return Array.from({ length: fileBytes / 4 }, (_, index) => [mixed, ours, through][index % 3]);
}

function defined(file) {
  rules.forEach((rule, index) => file.define(index, rule));
  return file;
}

/** One function body, compiled anew. */
function fresh(file, numbers, body) {
  const { offsets, widths, values, hardware } = requests;
  const make = new Function('file', 'offsets', 'widths', 'values', 'hardware', 'numbers', `return () => {${body}}`);
  return make(file, offsets, widths, values, hardware, numbers);
}

function ownCases() {
  const file = defined(new RegisterFile(core, fileBytes));
  const batch = new AccessBatch(core, accesses);
  batch.numbers.set(requests.numbers);
  return {
    read: fresh(file, null, singleRead),
    write: fresh(file, null, singleWrite),
    reads: () => file.readBatch(batch),
    writes: () => file.writeBatch(batch),
    numbers: () => batch.numbers,
  };
}

function plainCases(Plain) {
  const source = Plain.toString();
  // A class of its own for each case: shapes and feedback are not shared.
  const anew = () =>
    defined(
      new (new Function(
        'SHADOW',
        'VIRTUAL',
        'SHADOW_WRITE',
        'HARDWARE_WRITE',
        'RW1C',
        'NOTIFY',
        'WORD',
        `return ${source}`,
      )(0, 1, 2, 3, 4, 5, 8))(fileBytes),
    );
  const numbers = requests.numbers.slice();
  const shared = anew();
  return {
    read: fresh(shared, null, singleRead),
    write: fresh(shared, null, singleWrite),
    reads: fresh(shared, numbers, batchRead),
    writes: fresh(shared, numbers, batchWrite),
    numbers: () => numbers,
  };
}

function nativeCases() {
  const numbers = requests.numbers.slice();
  const words = new Uint32Array((fileBytes / 4) * NUMBERS);
  rules.forEach(({ virtual, reset, shadowWrite, hardwareWrite, rw1c, notify }, index) =>
    words.set([reset & virtual, virtual, shadowWrite, hardwareWrite, rw1c, notify, reset & virtual], index * NUMBERS),
  );
  const run = (name) => {
    const index = peers.names.indexOf(name);
    return () => peers.run(index, numbers, words, numbers, fileBytes, 0);
  };
  return {
    read: run('access_read_call_o2'),
    write: run('access_write_call_o2'),
    reads: run('access_read_o2'),
    writes: run('access_write_o2'),
    numbers: () => numbers,
  };
}

/** Every implementation leaves the same numbers, after the same reads and writes. */
function checkAgreement() {
  const all = Object.values(implementations).map((cases) => {
    cases.writes();
    const written = cases.numbers().slice();
    cases.reads();
    return [...written, ...cases.numbers()].join();
  });
  if (all.some((numbers) => numbers !== all[0])) throw new Error('the implementations disagree');
  return true;
}

function others() {
  const file = defined(new RegisterFile(core, fileBytes));
  const messages = new MessageTable(core, 64);
  const cases = {
    'RegisterFile.read, refused': (round) => file.read(fileBytes + (round & 63), 4, round),
    'RegisterFile.needsHardwareToWrite': (round) => file.needsHardwareToWrite((round & 63) << 2, 4),
    'MessageTable.read': (round) => messages.read((round & 255) << 2, 4),
    'MessageTable.write': (round) => messages.write((round & 127) << 3, 8, round, round),
  };
  const count = 400_000;
  const rows = Object.entries(cases).map(([name, run]) => {
    const loop = new Function('run', 'count', 'let s = 0; for (let i = 0; i < count; i++) s ^= run(i); return s;');
    loop(run, count);
    const best = Math.min(...Array.from({ length: 5 }, () => timeOf(() => loop(run, count))));
    return [name, { ns: ((best / count) * 1e6).toFixed(1) }];
  });
  const core2 = timeOf(() => new Core());
  return Object.fromEntries([...rows, ['a second Core', { ns: (core2 * 1e6).toFixed(0) }]]);
}

function timeOf(run) {
  const start = peers.now();
  run();
  return peers.now() - start;
}
