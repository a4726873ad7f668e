// How long `xenpt list` takes on a host with 1,000 functions, and its memory, beside `lspci -k` on the same tree where
// lspci is installed: `npm run bench -w xenpt`. Rounds are interleaved; the median of each is told.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { largeHost } from '@xenpt/pci/sysfs/testing';

const functionCount = 1000;
const rounds = 11;
const program = fileURLToPath(new URL('../bin/xenpt.js', import.meta.url));
// What the process itself says it had at most, on stderr.
const memoryHook = 'data:text/javascript,process.on("exit",()=>console.error("KiB",process.resourceUsage().maxRSS))';
const tree = largeHost(functionCount);
const sysfs = `${tree.sysroot}/sys/bus/pci`;
const commands = {
  'node -e 0': [process.execPath, '-e', '0'],
  'xenpt list': [process.execPath, program, 'list', '--sysroot', tree.sysroot],
  'lspci -k': ['lspci', '-A', 'linux-sysfs', '-O', `sysfs.path=${sysfs}`, '-k'],
};
const results = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
let memoryMib = 0;
const run = (command, words) => spawnSync(command, words, { encoding: 'utf8', maxBuffer: 1 << 26 });
try {
  for (let round = 0; round < rounds; round++) {
    for (const [name, [command, ...words]] of Object.entries(commands)) {
      const started = performance.now();
      const { status, stdout, stderr, error } = run(command, words);
      if (error?.code === 'ENOENT') continue;
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      results[name].push(performance.now() - started);
      if (name === 'xenpt list' && stdout.split('\n').length < functionCount)
        throw new Error('functions are missing');
    }
  }
  // In a run of its own: the hook takes time to load.
  const [node, ...words] = commands['xenpt list'];
  memoryMib = Number(/KiB (\d+)/.exec(run(node, [`--import=${memoryHook}`, ...words]).stderr)?.[1]) / 1024;
} finally {
  tree[Symbol.dispose]();
}
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const told = Object.entries(results).filter(([, timesMs]) => timesMs.length > 0);
console.log(
  `${functionCount} functions, Node ${process.version}; xenpt list takes ${Math.round(memoryMib)} MiB at most`,
);
console.table(
  Object.fromEntries(
    told.map(([name, timesMs]) => [
      name,
      { 'median ms': Math.round(median(timesMs)), 'at least ms': Math.round(Math.min(...timesMs)) },
    ]),
  ),
);
