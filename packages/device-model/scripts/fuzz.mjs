#!/usr/bin/env node
// Runs the fuzzer of test/fuzz.test.ts for as many executions as one likes, from a new seed each time:
//
//     npm run fuzz -w @xenpt/device-model [-- EXECUTIONS [SEED]]
//
// A life in which something was found joins test/fixtures/fuzz-lives.jsonl and is lived again with every test run.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [executions = '10000000', seed = String((Date.now() % 0xffff_ffff) + 1)] = process.argv.slice(2);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const { status } = spawnSync('npx', ['vitest', 'run', '--project', '@xenpt/device-model', 'test/fuzz.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, XENPT_FUZZ_LIVES: executions, XENPT_FUZZ_SEED: seed, XENPT_FUZZ_KEEP: '1' },
});
process.exitCode = status ?? 1;
