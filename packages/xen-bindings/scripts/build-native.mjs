// Builds build/Release/xen_bindings.node with node-gyp, without a network where Node's headers are on this machine.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));

/**
 * Folder with include/node: that of the running Node, else that of the system; undefined lets node-gyp download it.
 */
function headerRoot() {
  const candidates = [dirname(dirname(process.execPath)), '/usr'];
  return candidates.find((root) => existsSync(join(root, 'include/node/node_api.h')));
}

const root = headerRoot();
const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
const options = root === undefined ? [] : [`--nodedir=${root}`];
const { status, error } = spawnSync(process.execPath, [nodeGyp, 'rebuild', ...options], {
  cwd: packageRoot,
  stdio: 'inherit',
});
if (error) throw error;
process.exitCode = status ?? 1;
