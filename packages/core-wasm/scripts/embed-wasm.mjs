// Compiles assembly/ and writes the modules, as base64, into src/wasm.generated.ts.
//   node scripts/embed-wasm.mjs            compile and write
//   node scripts/embed-wasm.mjs --check    compile in memory; exit 1 when the written file says something else
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const generatedPath = join(root, 'src/wasm.generated.ts');

// The bitmap module has an asconfig of its own in these flags: entries of a file cannot differ by target. No data
// segment and no heap, since the memory is the caller's; atomics always; its shared variant is made by the loader.
const bitmap = ['assembly/bitmap.ts', '--config', 'none', '--runtime', 'stub', '--importMemory'];
const common = [...bitmap, '--initialMemory', '1', '--enable', 'threads'];
const simd = ['--enable', 'simd'];
// Level 3 would inline loops into each other, and one function's registers would have to do for all of them.
const release = ['--optimizeLevel', '1', '--shrinkLevel', '0', '--converge', '--noAssert'];
const debug = ['--optimizeLevel', '0'];
const out = (name) => ['--outFile', `build/${name}.wasm`, '--textFile', `build/${name}.wat`];

const targets = {
  releaseWasm: { name: 'release', flags: ['--config', 'asconfig.json', '--target', 'release'] },
  debugWasm: { name: 'debug', flags: ['--config', 'asconfig.json', '--target', 'debug'] },
  bitmapRelease: { name: 'bitmap', flags: [...common, ...simd, ...release, ...out('bitmap')] },
  bitmapReleaseScalar: { name: 'bitmap-scalar', flags: [...common, ...release, ...out('bitmap-scalar')] },
  bitmapDebug: { name: 'bitmap-debug', flags: [...common, ...simd, ...debug, ...out('bitmap-debug')] },
  bitmapDebugScalar: { name: 'bitmap-debug-scalar', flags: [...common, ...debug, ...out('bitmap-debug-scalar')] },
};

/** All files that the compiler writes for one target, by their path in the package. */
async function compile({ name, flags }) {
  const files = new Map();
  const { error, stderr } = await asc.main([...flags, '--baseDir', root], {
    writeFile: (path, contents) => void files.set(relative(root, path), contents),
  });
  if (error) throw new Error(`asc failed on target ${name}: ${error.message}\n${stderr.toString()}`);
  return files;
}

function generatedSource(modules) {
  const lines = Object.entries(modules).map(([name, bytes]) => {
    return `/** ${bytes.length} bytes. */\nexport const ${name} =\n  '${Buffer.from(bytes).toString('base64')}';\n`;
  });
  return `// Written by scripts/embed-wasm.mjs from assembly/. Do not edit.\n${lines.join('')}`;
}

const modules = {};
const allFiles = new Map();
for (const [constant, target] of Object.entries(targets)) {
  for (const [path, contents] of await compile(target)) allFiles.set(path, contents);
  modules[constant] = allFiles.get(`build/${target.name}.wasm`);
}
const source = generatedSource(modules);

if (process.argv.includes('--check')) {
  if (readFileSync(generatedPath, 'utf8') !== source) {
    console.error('src/wasm.generated.ts does not belong to assembly/: run npm run wasm -w @xenpt/core-wasm');
    process.exitCode = 1;
  }
} else {
  for (const [name, contents] of allFiles) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), contents);
  }
  writeFileSync(generatedPath, source);
  const sizes = Object.entries(targets).map(([constant, { name }]) => `${name} ${modules[constant].length}`);
  console.log(`wasm, bytes: ${sizes.join(', ')}`);
}
