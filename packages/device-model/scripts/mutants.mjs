#!/usr/bin/env node
// Puts each fault of test/proofs/proofs.json back, one at a time, and runs the test that is there to find it:
//
//     npm run mutants -w @xenpt/device-model [-- ID …]
//
// The working tree is not touched: a source is changed as it is loaded. A fault that its test does not find fails
// the run.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const sourceCondition = ['@xenpt/source'];
const list = JSON.parse(readFileSync(new URL('../test/proofs/proofs.json', import.meta.url), 'utf8'));
const wanted = process.argv.slice(2);

function mutate({ file, changes }) {
  return {
    name: 'mutant',
    enforce: 'pre',
    transform(code, id) {
      if (!id.split('?')[0].endsWith(`/${file}`)) return undefined;
      return changes.reduce((text, [find, replace]) => {
        if (!text.includes(find)) throw new Error(`${file} does not contain ${JSON.stringify(find)}`);
        return text.replaceAll(find, replace);
      }, code);
    },
  };
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
    const failures = await run(test, [mutate(mutant)]);
    if (failures > 0) killed += 1;
    else alive += 1;
    process.stdout.write(`${failures > 0 ? 'killed' : 'ALIVE '} ${id} fault ${index + 1} in ${mutant.file}\n`);
  }
}
process.stdout.write(`${killed} faults found by their tests, ${alive} not\n`);
process.exit(alive === 0 ? 0 : 1);
