// How long the built command takes to start, beside a Node that does nothing: `npm run bench -w xenpt`.
// Rounds are interleaved, so that a busy machine slows all alike; the median of each is told.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../bin/xenpt.js', import.meta.url));
if (!existsSync(fileURLToPath(new URL('../dist/main.js', import.meta.url)))) throw new Error('Build it first.');

const rounds = 21;
const commands = {
  'node -e 0': ['-e', '0'],
  'xenpt --version': [program, '--version'],
  'xenpt --help': [program, '--help'],
  'xenpt undo --help': [program, 'undo', '--help'],
  'xenpt list': [program, 'list'],
};
const timesMs = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const [name, words] of Object.entries(commands)) {
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, words);
    if (status !== 0 && name !== 'xenpt list') throw new Error(`${name}: ${stderr}`);
    timesMs[name].push(performance.now() - started);
  }
}
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const baseMs = median(timesMs['node -e 0']);
console.table(
  Object.fromEntries(
    Object.entries(timesMs).map(([name, list]) => {
      const ms = median(list);
      return [name, { 'median ms': Math.round(ms), 'times node': Number((ms / baseMs).toFixed(2)) }];
    }),
  ),
);
