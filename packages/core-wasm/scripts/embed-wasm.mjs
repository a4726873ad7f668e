// Compiles assembly/ twice and writes both modules, as base64, into src/wasm.generated.ts.
//   node scripts/embed-wasm.mjs            compile and write
//   node scripts/embed-wasm.mjs --check    compile in memory; exit 1 when the written file says something else
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const generatedPath = join(root, 'src/wasm.generated.ts');

/** All files that the compiler writes for one target of asconfig.json, by their path in the package. */
async function compile(target) {
  const files = new Map();
  const { error, stderr } = await asc.main(['--config', 'asconfig.json', '--target', target, '--baseDir', root], {
    writeFile: (path, contents) => void files.set(relative(root, path), contents),
  });
  if (error) throw new Error(`asc failed on target ${target}: ${error.message}\n${stderr.toString()}`);
  return files;
}

function generatedSource(modules) {
  const lines = Object.entries(modules).map(([name, bytes]) => {
    return `/** ${bytes.length} bytes. */\nexport const ${name} =\n  '${Buffer.from(bytes).toString('base64')}';\n`;
  });
  return `// Written by scripts/embed-wasm.mjs from assembly/. Do not edit.\n${lines.join('')}`;
}

const release = await compile('release');
const debug = await compile('debug');
const releaseWasm = release.get('build/release.wasm');
const debugWasm = debug.get('build/debug.wasm');
const source = generatedSource({ releaseWasm, debugWasm });

if (process.argv.includes('--check')) {
  if (readFileSync(generatedPath, 'utf8') !== source) {
    console.error('src/wasm.generated.ts does not belong to assembly/: run npm run wasm -w @xenpt/core-wasm');
    process.exitCode = 1;
  }
} else {
  for (const [name, contents] of [...release, ...debug]) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), contents);
  }
  writeFileSync(generatedPath, source);
  console.log(`wasm: release ${releaseWasm.length} bytes, debug ${debugWasm.length} bytes`);
}
