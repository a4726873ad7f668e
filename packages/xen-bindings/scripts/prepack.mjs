// Puts the built addon where the published package carries it: prebuilds/<platform>-<arch>/.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));
const built = join(packageRoot, 'build/Release/xen_bindings.node');
const prebuilt = join(packageRoot, 'prebuilds', `${platform()}-${arch()}`, 'xen_bindings.node');

if (!existsSync(join(packageRoot, 'dist/index.js'))) {
  throw new Error('dist/ is missing: run "npx nx build @xenpt/xen-bindings" before packing');
}
if (!existsSync(built)) {
  const script = fileURLToPath(new URL('build-native.mjs', import.meta.url));
  // npm reads what a packing script prints as its own output, so everything goes to stderr.
  const { status } = spawnSync(process.execPath, [script], { stdio: ['ignore', process.stderr, process.stderr] });
  if (status !== 0) throw new Error(`the native build failed with exit code ${status}`);
}
mkdirSync(dirname(prebuilt), { recursive: true });
copyFileSync(built, prebuilt);
