// Bundles what runs in a worker into one text and writes it to src/worker-code.generated.ts. A thread started from a
// text needs no file beside it: the same in ES modules, CommonJS, bundles and pages.
//   node scripts/embed-worker.mjs            bundle and write
//   node scripts/embed-worker.mjs --check    bundle in memory; exit 1 when the written file says something else
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const generatedPath = `${root}src/worker-code.generated.ts`;

/** A classic script: what Node's `eval` threads and a page's workers both take. */
function bundle() {
  const { outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: ['src/worker-thread.ts'],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'neutral',
    mainFields: ['module'],
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    charset: 'ascii',
  });
  return outputFiles[0].text.trim();
}

const code = bundle();
const source = [
  '// Written by scripts/embed-worker.mjs from src/worker-thread.ts and what it imports. Do not edit.',
  `/** ${code.length} characters. */`,
  `export const workerCode =\n  ${JSON.stringify(code)};\n`,
].join('\n');

if (process.argv.includes('--check')) {
  if (readFileSync(generatedPath, 'utf8') !== source) {
    console.error('src/worker-code.generated.ts is out of date: run npm run worker -w @xenpt/core-wasm');
    process.exitCode = 1;
  }
} else {
  writeFileSync(generatedPath, source);
  console.log(`worker: ${code.length} characters`);
}
