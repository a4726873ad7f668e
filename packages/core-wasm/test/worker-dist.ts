import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { packageRoot } from './dist.js';

const require = createRequire(import.meta.url);

/** As ensureDist, for the pool: builds what is not there. */
export function ensureWorkerDist(): void {
  const files = ['worker.js', 'worker.cjs', 'worker.d.ts', 'index.js', 'index.cjs'];
  if (files.every((name) => existsSync(`${packageRoot}dist/${name}`))) return;
  const tsup = require.resolve('tsup/dist/cli-default.js');
  execFileSync(process.execPath, [tsup], { cwd: packageRoot, stdio: 'pipe' });
}
