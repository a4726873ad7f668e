import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import type { FuzzCase } from './cases.js';
import { Judge, fuzz } from './fuzz.js';

/** Cases of earlier runs: each that found something, and a set that reaches all that was ever reached. */
const corpusFile = new URL('../fixtures/fuzz-corpus.jsonl', import.meta.url);
const executions = Number(process.env['XENPT_FUZZ_EXECUTIONS'] ?? 1_000_000);
const seed = Number(process.env['XENPT_FUZZ_SEED'] ?? 1);
const isKept = process.env['XENPT_FUZZ_KEEP'] === '1';

const kept = (existsSync(corpusFile) ? readFileSync(corpusFile, 'utf8') : '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as FuzzCase);

function keep(cases: readonly FuzzCase[]): void {
  writeFileSync(corpusFile, cases.map((one) => `${JSON.stringify(one)}\n`).join(''));
}

it('what was once found is not found again', () => {
  const judge = new Judge();
  for (const [index, one] of kept.entries()) {
    expect(judge.open(one) ?? judge.run(one.accesses), `line ${index + 1}`).toBeNull();
  }
});

it(
  `${executions} executions from seed ${seed}: engine and oracle agree, nothing throws`,
  {
    timeout: 3_600_000,
  },
  () => {
    const before = process.cpuUsage();
    const run = fuzz(executions, seed, kept);
    const { user, system } = process.cpuUsage(before);
    process.stdout.write(
      `fuzz: ${run.executions} executions from seed ${seed} in ${((user + system) / 1e6).toFixed(1)} s of one core; ` +
        `${kept.length} kept cases, ${run.coverage} (register, width, effect) reached, ` +
        `${run.findings.length} findings\n`,
    );
    if (run.findings.length > 0) keep([...run.findings.map(({ found }) => found), ...kept]);
    else if (isKept) keep(run.corpus);
    expect(run.findings.map(({ what }) => what)).toEqual([]);
    expect(run.executions).toBe(Math.max(executions, kept.length));
  },
);
