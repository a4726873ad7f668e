// npm run bench -w @xenpt/device-model: the loop against fakes, from the sources as they are, over the built bindings.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

// Inside the package, so that what is not bundled is found.
const parent = fileURLToPath(new URL('../build', import.meta.url));
mkdirSync(parent, { recursive: true });
const folder = mkdtempSync(join(parent, 'bench-'));
try {
  const bundle = join(folder, 'loop.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('loop.ts', import.meta.url))],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@xenpt/source'],
    external: ['@xenpt/xen-bindings'],
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
  });
  process.exitCode = spawnSync(process.execPath, ['--expose-gc', bundle], { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
