#!/usr/bin/env node
// Runs the fuzzer of test/oracle/fuzz.test.ts for as many executions as one likes, from a new seed each time:
//
//     npm run fuzz -w @xenpt/pci [-- EXECUTIONS [SEED]]
//
// It starts from the kept corpus, test/fixtures/fuzz-corpus.jsonl. A finding joins it and is run again with every test
// run from then on; with XENPT_FUZZ_KEEP=1 so does what reached something new.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [executions = '10000000', seed = String((Date.now() % 0xffff_ffff) + 1)] = process.argv.slice(2);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const { status } = spawnSync('npx', ['vitest', 'run', '--project', '@xenpt/pci', 'test/oracle/fuzz.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, XENPT_FUZZ_EXECUTIONS: executions, XENPT_FUZZ_SEED: seed },
});
process.exitCode = status ?? 1;
