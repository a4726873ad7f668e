// Microseconds of one query-status through this client, its peers and a bare socket, in one run:
//   node bench/qmp.mjs [--rounds 7] [--native 10000] [--qemu 2000]
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
    rounds: { type: 'string', default: '7' },
    native: { type: 'string', default: '10000' },
    qemu: { type: 'string', default: '2000' },
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
    for (const { name, open, inFlight } of clients) {
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

/** Elapsed time on a busy machine is also that of others; the processor time of this process is not. */
function print(server, samples, count) {
  console.log(`\n${server}: ${count} query-status, median of ${values.rounds} interleaved rounds, us each`);
  console.log(
    'client'.padEnd(34) + ['elapsed', 'min-max', 'of raw', 'cpu', 'of raw'].map((head) => head.padStart(14)).join(''),
  );
  const elapsedOf = (list) => list.map(({ elapsed }) => elapsed).sort((a, b) => a - b);
  const busyOf = (list) => list.map(({ busy }) => busy).sort((a, b) => a - b);
  const median = (list) => list[list.length >> 1];
  const raw = samples.get('raw socket, sequential');
  for (const [name, list] of samples) {
    const elapsed = elapsedOf(list);
    const busy = busyOf(list);
    const cells = [
      median(elapsed).toFixed(1),
      `${elapsed[0].toFixed(1)}-${elapsed.at(-1).toFixed(1)}`,
      (median(elapsed) / median(elapsedOf(raw))).toFixed(2),
      median(busy).toFixed(1),
      (median(busy) / median(busyOf(raw))).toFixed(2),
    ];
    console.log(name.padEnd(34) + cells.map((cell) => cell.padStart(14)).join(''));
  }
}
