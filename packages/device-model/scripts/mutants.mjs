#!/usr/bin/env node
// Puts each fault of test/proofs/proofs.json back, one at a time, and runs the test that is there to find it:
//
//     npm run mutants -w @xenpt/device-model [-- ID …]
//
// The working tree is not touched: a source is changed as it is loaded. Of a fault in a WASM kernel the module is
// compiled anew, in memory, and takes the place of the embedded one. A fault that its test does not find fails the
// run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as asc from 'assemblyscript/asc';
import { startVitest } from 'vitest/node';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const sourceCondition = ['@xenpt/source'];
const list = JSON.parse(readFileSync(new URL('../test/proofs/proofs.json', import.meta.url), 'utf8'));
const wanted = process.argv.slice(2);

const core = join(root, 'packages/core-wasm');
const kernels = 'packages/core-wasm/assembly/';
const embedded = '/packages/core-wasm/src/wasm.generated.ts';
/** The constants of the embedded modules that are compiled from the register and table kernels. */
const modules = { releaseWasm: 'release', debugWasm: 'debug' };

function changed(text, { file, changes }) {
  return changes.reduce((before, [find, replace]) => {
    if (!before.includes(find)) throw new Error(`${file} does not contain ${JSON.stringify(find)}`);
    return before.replaceAll(find, replace);
  }, text);
}

/** A plugin that changes a source as it is loaded. */
async function mutate(mutant) {
  const transform = mutant.file.startsWith(kernels) ? await kernelMutant(mutant) : sourceMutant(mutant);
  return { name: 'mutant', enforce: 'pre', transform };
}

function sourceMutant(mutant) {
  return (code, id) => (id.split('?')[0].endsWith(`/${mutant.file}`) ? changed(code, mutant) : undefined);
}

async function kernelMutant(mutant) {
  const path = mutant.file.slice('packages/core-wasm/'.length);
  const text = changed(readFileSync(join(root, mutant.file), 'utf8'), mutant);
  const compiled = [];
  for (const [constant, target] of Object.entries(modules)) {
    compiled.push([constant, await compile(target, path, text)]);
  }
  return (code, id) => {
    if (!id.split('?')[0].endsWith(embedded)) return undefined;
    return compiled.reduce((before, [constant, base64]) => {
      const line = new RegExp(`(export const ${constant} =\\s*)'[^']*'`);
      if (!line.test(before)) throw new Error(`${embedded} has no module ${constant}`);
      return before.replace(line, `$1'${base64}'`);
    }, code);
  };
}

/** The module in base64, with one file's text replaced. */
async function compile(target, path, text) {
  let module;
  const readFile = (name, directory) => {
    if (name === path) return text;
    try {
      return readFileSync(join(directory, name), 'utf8');
    } catch {
      return null;
    }
  };
  const writeFile = (name, contents) => {
    if (name.endsWith('.wasm')) module = Buffer.from(contents).toString('base64');
  };
  const { error, stderr } = await asc.main(['--config', 'asconfig.json', '--target', target, '--baseDir', core], {
    readFile,
    writeFile,
  });
  if (error) throw new Error(`asc failed on ${path}: ${error.message}\n${stderr.toString()}`);
  return module;
}

/** @returns how many tests failed; -1 when none ran */
async function run(test, plugins) {
  const path = test.startsWith('packages/') ? test : `packages/device-model/${test}`;
  const vitest = await startVitest(
    'test',
    [path],
    { root, config: false, watch: false, reporters: [{}], include: [path], testTimeout: 60_000, bail: 1 },
    {
      plugins,
      resolve: { conditions: sourceCondition },
      ssr: { resolve: { conditions: sourceCondition, externalConditions: sourceCondition } },
    },
  );
  const failed = vitest.state.getCountOfFailedTests();
  const failedFiles = vitest.state.getFiles().filter(({ result }) => result?.state === 'fail').length;
  const files = vitest.state.getFiles().length;
  await vitest.close();
  return files === 0 ? -1 : failed + failedFiles;
}

let alive = 0;
let killed = 0;
for (const { id, test, mutants } of list.filter(({ id }) => wanted.length === 0 || wanted.includes(id))) {
  if ((await run(test, [])) !== 0) throw new Error(`${test} fails without any fault: mend it first`);
  for (const [index, mutant] of mutants.entries()) {
    const failures = await run(test, [await mutate(mutant)]);
    if (failures > 0) killed += 1;
    else alive += 1;
    process.stdout.write(`${failures > 0 ? 'killed' : 'ALIVE '} ${id} fault ${index + 1} in ${mutant.file}\n`);
  }
}
process.stdout.write(`${killed} faults found by their tests, ${alive} not\n`);
process.exit(alive === 0 ? 0 : 1);
