// Microseconds of one query-status through this client, its peers and a bare socket, in one run:
//   node bench/qmp.mjs [--rounds 25] [--native 4000] [--qemu 800] [--program qemu-system-x86_64]
// Rounds alternate their order, and clients are compared within a round: what else the machine does falls on both. Of
// the ratios there are the median and its 95 % interval (bootstrap); an interval with 1 in it tells no winner.
// The native responder (compiled here) shows the client's cost, QEMU what remains of it in use. Beside the elapsed time
// there are the processor times of the client and of the server: what else runs on the machine adds little to those.
import { build } from 'esbuild';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { openers } from './clients.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    native: { type: 'string', default: '4000' },
    qemu: { type: 'string', default: '800' },
    program: { type: 'string', default: 'qemu-system-x86_64' },
  },
});
const here = path.dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'qmp-bench-'));
const children = [];

try {
  const sdk = await bundle();
  const clients = openers(sdk);
  if (Number(values.native) > 0) await measure('native responder', startResponder(), clients, Number(values.native));
  if (Number(values.qemu) > 0) await measure(values.program, startQemu(), clients, Number(values.qemu));
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

async function bundle() {
  const outfile = path.join(folder, 'sdk.mjs');
  const entryPoints = [path.join(here, '../src/node/index.ts')];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
  return import(pathToFileURL(outfile).href);
}

function startResponder() {
  const program = path.join(folder, 'responder');
  execFileSync('gcc', ['-O2', '-o', program, path.join(here, 'responder.c')]);
  return start(program, (socket) => [socket]);
}

function startQemu() {
  const quiet = ['-machine', 'none', '-S', '-display', 'none', '-nodefaults'];
  return start(values.program, (socket) => [...quiet, '-qmp', `unix:${socket},server=on,wait=off`]);
}

function start(program, args) {
  const socket = path.join(folder, `${children.length}.sock`);
  const child = spawn(program, args(socket), { stdio: 'ignore' });
  children.push(child);
  return { socket, processorTime: () => processorTime(child.pid) };
}

/** Microseconds that all threads of a process have run (Linux Documentation/scheduler/sched-stats.rst). */
function processorTime(pid) {
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).map((id) =>
    Number(readFileSync(`${tasks}/${id}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1000;
}

async function measure(server, { socket, processorTime }, clients, count) {
  while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 20));
  const samples = new Map(clients.map(({ name }) => [name, []]));
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const { name, open, inFlight } of round % 2 === 0 ? clients : clients.toReversed()) {
      const client = await open(socket);
      const startedAt = performance.now();
      const before = process.cpuUsage();
      const servedBefore = processorTime();
      await Promise.all(Array.from({ length: inFlight }, () => repeat(client.query, count / inFlight)));
      const { user, system } = process.cpuUsage(before);
      const elapsed = ((performance.now() - startedAt) * 1000) / count;
      const served = (processorTime() - servedBefore) / count;
      await client.close();
      // The first round compiles.
      if (round > 0) samples.get(name).push({ elapsed, busy: (user + system) / count, served });
    }
  }
  print(server, samples, count);
}

async function repeat(query, count) {
  for (let index = 0; index < count; index++) await query();
}

function print(server, samples, count) {
  console.log(`\n${server}: ${count} query-status, ${values.rounds} rounds, medians; us each`);
  const heads = ['elapsed', 'client', 'server'].flatMap((head) => [head, 'of raw', '95 %']);
  console.log('client'.padEnd(34) + heads.map((head) => head.padStart(11)).join(''));
  const raw = samples.get('raw socket, sequential');
  for (const [name, list] of samples) {
    const cells = ['elapsed', 'busy', 'served'].flatMap((key) => {
      const { middle, low, high } = compare(list, raw, key);
      return [
        median(list.map((each) => each[key])).toFixed(1),
        middle.toFixed(2),
        `${low.toFixed(2)}-${high.toFixed(2)}`,
      ];
    });
    console.log(name.padEnd(34) + cells.map((cell) => cell.padStart(11)).join(''));
  }
  for (const mode of ['sequential', '8 in flight']) {
    const ours = samples.get(`@xenpt/qmp-sdk, ${mode}`);
    for (const peer of [...samples.keys()].filter((name) => name.endsWith(mode) && !name.startsWith('@xenpt'))) {
      console.log(`@xenpt/qmp-sdk beside ${peer}:`);
      for (const [key, what] of Object.entries({ elapsed: 'elapsed', busy: 'client', served: 'server' })) {
        const { middle, low, high } = compare(ours, samples.get(peer), key);
        const verdict = high < 1 ? 'less' : low > 1 ? 'more' : 'not to be told apart';
        console.log(`  ${what.padEnd(8)} ${middle.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})  ${verdict}`);
      }
    }
  }
}

/** The median of the ratios within each round, and where it lies in 95 of 100 drawings of as many rounds. */
function compare(list, reference, key) {
  const ratios = list.map((sample, round) => sample[key] / reference[round][key]);
  const draw = () => median(ratios.map(() => ratios[Math.floor(Math.random() * ratios.length)]));
  const drawn = Array.from({ length: 2000 }, draw).sort((a, b) => a - b);
  return { middle: median(ratios), low: drawn[50], high: drawn[1949] };
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
