import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const entry = fileURLToPath(new URL('../../src/index.ts', import.meta.url));

test('the core runs anywhere, and is below 15 KB compressed', async () => {
  // For a browser: anything of node:* would not be found.
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@xenpt/source'],
    write: false,
    metafile: true,
  });
  expect(gzipSync(outputFiles[0]?.contents ?? '').length).toBeLessThan(15_000);
  const inputs = Object.keys(metafile.inputs).map((file) => file.replace(/^.*src\//, ''));
  expect(inputs.filter((file) => !file.startsWith('qmp/')).sort()).toEqual(['errors.ts', 'index.ts']);
});
