// Compiles the C peers of the benchmark with the machine's gcc and loads them.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const build = join(here, 'build');

const avx2Flags = ['-O3', '-mavx2', '-mbmi', '-mbmi2', '-mpopcnt', '-mlzcnt'];

/** One object each: a flag for one of them must not reach the others. */
const objects = [
  { source: 'scalar.c', object: 'scalar-o2.o', flags: ['-O2', '-DNAME(x)=x##_o2'] },
  { source: 'scalar.c', object: 'scalar-popcnt.o', flags: ['-O2', '-mpopcnt', '-DNAME(x)=x##_popcnt'] },
  { source: 'register-file.c', object: 'register-file-o2.o', flags: ['-O2'] },
  { source: 'avx2.c', object: 'avx2.o', flags: avx2Flags },
  { source: 'addon.c', object: 'addon.o', flags: ['-O2'] },
];

export function buildPeers() {
  mkdirSync(build, { recursive: true });
  const roots = [dirname(dirname(process.execPath)), '/usr'];
  const root = roots.find((candidate) => existsSync(join(candidate, 'include/node/node_api.h')));
  if (root === undefined)
    throw new Error(`no include/node/node_api.h below ${roots.join(' or ')}: install Node's headers`);
  for (const { source, object, flags } of objects) {
    const common = ['-std=gnu11', '-Wall', '-Wextra', '-fPIC', '-c', `-I${join(root, 'include/node')}`];
    execFileSync('gcc', [...common, ...flags, join(here, source), '-o', join(build, object)], { stdio: 'inherit' });
  }
  const library = join(build, 'peers.node');
  const files = objects.map(({ object }) => join(build, object));
  execFileSync('gcc', ['-shared', ...files, '-lm', '-o', library], { stdio: 'inherit' });
  return createRequire(import.meta.url)(library);
}
