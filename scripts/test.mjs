// `npm test`: everything, counted. `npm test -- --no-lab` leaves out what boots a Xen host.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { mustRun, root, run, step } from './lib/run.mjs';
import { assertRootOrSudo, nx, setUp } from './lib/setup.mjs';

const lab = !process.argv.includes('--no-lab');
if (lab) assertRootOrSudo();
const count = { passed: 0, failed: 0 };
/** What failed, a line each, told again at the end: in a log of two thousand lines nobody looks for it. */
const failures = [];
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
  if ((process.env.CI ?? '') !== '') fail('the QEMUs for the tests');
  else process.stderr.write('The tests of the QEMUs above that are missing are skipped.\n');
}

function fail(what) {
  count.failed += 1;
  failures.push(what);
}

/** A command that is one test: it passes or it does not. */
async function check(title, command, args) {
  const code = await step(title, () => run(command, args, { quiet: true }));
  if (code === 0) count.passed += 1;
  else fail(title);
}

/** A run of vitest, counted test by test from its own report. */
async function vitest(title, name, project, workers) {
  const file = path.join(reports, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const args = ['--no-install', 'vitest', 'run', `--maxWorkers=${workers}`, `--project=${project}`, ...reporters];
  const code = await step(title, () => run('npx', args));
  let failed = [];
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    count.passed += report.numPassedTests;
    failed = report.testResults.flatMap(failuresOf);
  } catch (error) {
    process.stderr.write(`✗ ${title}: no report was written (${error.message})\n`);
  }
  for (const test of failed) fail(test);
  // An error outside a test fails the run without a failed test.
  if (code !== 0 && failed.length === 0) fail(`${title}: see its errors above`);
}

/** What failed of a file, with the first line of why: its tests, or the file itself when it did not load. */
function failuresOf({ name, status, message, assertionResults }) {
  const file = path.relative(root, name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0 && status === 'failed') return [`${file}: ${firstLine(message)}`];
  return failed.map(({ fullName, failureMessages }) => `${file} > ${fullName}: ${firstLine(failureMessages[0])}`);
}

function firstLine(text = '') {
  return text.split('\n', 1)[0];
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

for (const failure of failures) process.stdout.write(`✗ ${failure}\n`);
process.stdout.write(`\n${count.passed} passed, ${count.failed} failed\n`);
process.exit(count.failed === 0 ? 0 : 1);
