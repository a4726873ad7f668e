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
  'xenpt list': [process.execPath, `--import=${memoryHook}`, program, 'list', '--sysroot', tree.sysroot],
  'lspci -k': ['lspci', '-A', 'linux-sysfs', '-O', `sysfs.path=${sysfs}`, '-k'],
};
const results = Object.fromEntries(Object.keys(commands).map((name) => [name, { timesMs: [], memoryKib: [] }]));
try {
  for (let round = 0; round < rounds; round++) {
    for (const [name, [command, ...words]] of Object.entries(commands)) {
      const started = performance.now();
      const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: 'utf8', maxBuffer: 1 << 26 });
      if (error?.code === 'ENOENT') continue;
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      results[name].timesMs.push(performance.now() - started);
      const [, memory] = /KiB (\d+)/.exec(stderr) ?? [];
      if (memory !== undefined) results[name].memoryKib.push(Number(memory));
      if (name === 'xenpt list' && stdout.split('\n').length < functionCount)
        throw new Error('functions are missing');
    }
  }
} finally {
  tree[Symbol.dispose]();
}
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const told = Object.entries(results).filter(([, { timesMs }]) => timesMs.length > 0);
console.log(`${functionCount} functions, Node ${process.version}`);
console.table(
  Object.fromEntries(
    told.map(([name, { timesMs, memoryKib }]) => [
      name,
      {
        'median ms': Math.round(median(timesMs)),
        'at least ms': Math.round(Math.min(...timesMs)),
        'most MiB': memoryKib.length === 0 ? '-' : Math.round(median(memoryKib) / 1024),
      },
    ]),
  ),
);
