// Microseconds of one query-status through this client, its peers and a bare socket, in one run:
//   node bench/qmp.mjs [--rounds 25] [--native 4000] [--qemu 800]
// Rounds alternate their order, and clients are compared within a round: what else the machine does falls on both. Of
// the ratios there are the median and its 95 % interval (bootstrap); an interval with 1 in it tells no winner.
// The native responder (compiled here) shows the client's cost, QEMU what remains of it in use.
import { build } from 'esbuild';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
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
  },
});
const here = path.dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'qmp-bench-'));
const children = [];

try {
  const sdk = await bundle();
  const clients = openers(sdk);
  await measure('native responder', startResponder(), clients, Number(values.native));
  if (Number(values.qemu) > 0) await measure('QEMU', startQemu(), clients, Number(values.qemu));
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
  return start('qemu-system-x86_64', (socket) => [...quiet, '-qmp', `unix:${socket},server=on,wait=off`]);
}

function start(program, args) {
  const socket = path.join(folder, `${children.length}.sock`);
  children.push(spawn(program, args(socket), { stdio: 'ignore' }));
  return socket;
}

async function measure(server, socket, clients, count) {
  while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 20));
  const samples = new Map(clients.map(({ name }) => [name, []]));
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const { name, open, inFlight } of round % 2 === 0 ? clients : clients.toReversed()) {
      const client = await open(socket);
      const startedAt = performance.now();
      const before = process.cpuUsage();
      await Promise.all(Array.from({ length: inFlight }, () => repeat(client.query, count / inFlight)));
      const { user, system } = process.cpuUsage(before);
      const elapsed = ((performance.now() - startedAt) * 1000) / count;
      await client.close();
      // The first round compiles.
      if (round > 0) samples.get(name).push({ elapsed, busy: (user + system) / count });
    }
  }
  print(server, samples, count);
}

async function repeat(query, count) {
  for (let index = 0; index < count; index++) await query();
}

function print(server, samples, count) {
  console.log(`\n${server}: ${count} query-status, ${values.rounds} rounds, medians; us each`);
  const heads = ['elapsed', 'of raw', '95 %', 'cpu', 'of raw', '95 %'];
  console.log('client'.padEnd(34) + heads.map((head) => head.padStart(13)).join(''));
  const raw = samples.get('raw socket, sequential');
  for (const [name, list] of samples) {
    const cells = ['elapsed', 'busy'].flatMap((key) => {
      const { middle, low, high } = compare(list, raw, key);
      return [
        median(list.map((each) => each[key])).toFixed(1),
        middle.toFixed(2),
        `${low.toFixed(2)}-${high.toFixed(2)}`,
      ];
    });
    console.log(name.padEnd(34) + cells.map((cell) => cell.padStart(13)).join(''));
  }
  for (const mode of ['sequential', '8 in flight']) {
    const ours = samples.get(`@xenpt/qmp-sdk, ${mode}`);
    for (const peer of [...samples.keys()].filter((name) => name.endsWith(mode) && !name.startsWith('@xenpt'))) {
      const { middle, low, high } = compare(ours, samples.get(peer), 'elapsed');
      const verdict = high < 1 ? 'faster than' : low > 1 ? 'slower than' : 'not to be told from';
      const interval = `${middle.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`;
      console.log(`@xenpt/qmp-sdk is ${verdict} ${peer}: ${interval}`);
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
