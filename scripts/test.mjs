// `npm test`: everything, counted. `npm test -- --no-lab` leaves out what boots a Xen host.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { mustRun, root, run, step } from './lib/run.mjs';
import { assertRootOrSudo, nx, setUp } from './lib/setup.mjs';

const lab = !process.argv.includes('--no-lab');
if (lab) assertRootOrSudo();
const count = { passed: 0, failed: 0 };
await setUp({ lab, tests: true, whileBuilding: fetchQemus });

const reports = path.join(root, 'build/reports');
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

/** The QEMUs that the client is tested against. Without the network the tests of those that are missing are skipped. */
async function fetchQemus() {
  const code = await step('QEMU 7.2, 10.0 and 11.1 from Debian, unless the cache has them', () =>
    run('node', ['apps/lab/dist/main.js', 'fetch-qemus'], { quiet: true }),
  );
  if (code === 0) return;
  const inCi = (process.env.CI ?? '') !== '';
  if (inCi) count.failed += 1;
  process.stderr.write(
    inCi ? '✗ the QEMUs for the tests\n' : 'The tests of the QEMUs above that are missing are skipped.\n',
  );
}

/** A command that is one test: it passes or it does not. */
async function check(title, command, args) {
  const code = await step(title, () => run(command, args, { quiet: true }));
  count[code === 0 ? 'passed' : 'failed'] += 1;
  if (code !== 0) process.stderr.write(`✗ ${title}\n`);
}

/** A run of vitest, counted test by test from its own report. */
async function vitest(title, name, project, workers) {
  const file = path.join(reports, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const args = ['--no-install', 'vitest', 'run', `--maxWorkers=${workers}`, `--project=${project}`, ...reporters];
  const code = await step(title, () => run('npx', args));
  let failed = 0;
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    count.passed += report.numPassedTests;
    failed = report.numFailedTests;
  } catch (error) {
    process.stderr.write(`✗ ${title}: no report was written (${error.message})\n`);
  }
  // A file that does not load, or an error outside a test, fails the run without a failed test.
  count.failed += code === 0 ? failed : Math.max(failed, 1);
}

const lint = check('lint (eslint)', 'npx', ['--no-install', 'eslint', '.']);
await Promise.all([
  check('types (tsc)', 'npx', nx(['run-many', '-t', 'typecheck'])),
  check('format (prettier)', 'npx', ['--no-install', 'prettier', '--check', '.']),
]);
// Left to itself vitest keeps one processor free, and small machines have two; the tests of a real QEMU wait for it.
await Promise.all([lint, vitest('unit and property tests', 'unit', '!lab', 3)]);
if (lab) {
  await step('packing what users install', () => mustRun('node', ['scripts/pack.mjs'], 'Packing'));
  await vitest('lab scenarios on a real Xen', 'lab', 'lab', 2);
}

process.stdout.write(`\n${count.passed} passed, ${count.failed} failed\n`);
process.exit(count.failed === 0 ? 0 : 1);
