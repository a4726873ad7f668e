import {
  forgetDeadDomains,
  planRecovery,
  recoverAssignable,
  type RecoveredDirtyLog,
  type RecoveredRestart,
  type RecoveredTransaction,
  recoverDirtyLogs,
  recoverRestarts,
  type XenHost,
} from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { recovered, recoveryPlans } from '../output/assignable-schema.js';
import { dryRunOption, formatSteps } from '../output/plan.js';
import type { Verb, VerbOutput } from '../verb.js';

export const recover: Verb = {
  name: 'recover',
  summary: 'end what a killed xenpt left: devices between two drivers or two lives of a guest, dirty logging',
  arguments: [],
  options: [dryRunOption],
  examples: [
    ['xenpt recover -N', 'what was left, and what would be written where'],
    ['xenpt recover', 'after xenpt was killed with SIGKILL; harmless at any other time'],
    ['xenpt recover --json', 'what was found and done, for a script'],
  ],
  schema: recovered,
  optionalSchema: recoveryPlans,
  exitCodes: [ExitCode.failed, ExitCode.manualRecovery, ExitCode.timeout, ExitCode.noHypervisor],
  run: async ({ host }, _words, options) => {
    if (options['dryRun'] === true) return dryRun(host);
    const transactions = await recoverAssignable(host);
    const dirtyLogs = await recoverDirtyLogs(host);
    const restarts = await recoverRestarts(host);
    const leftovers = await forgetDeadDomains(host);
    const all: readonly (RecoveredDirtyLog | RecoveredRestart | RecoveredTransaction)[] = [
      ...transactions,
      ...dirtyLogs,
      ...restarts,
    ];
    const failed = all.filter(hasFailed);
    return {
      json: { transactions, dirtyLogs, restarts },
      text:
        all.length === 0
          ? NOTHING
          : all
              .filter((entry) => !hasFailed(entry))
              .map(({ sentence }) => sentence)
              .join('\n'),
      notes: [...failed.map(({ sentence }) => sentence), ...leftovers],
      exitCode: failed.length + leftovers.length === 0 ? ExitCode.ok : ExitCode.manualRecovery,
    };
  },
};

const NOTHING =
  'Nothing to recover: no device is between two drivers, no dirty logging is recorded as on, no guest waits.';

async function dryRun(host: XenHost): Promise<VerbOutput> {
  const plans = await planRecovery(host);
  const lines = plans.flatMap(({ subject, sentence, steps }) => [
    `${subject}: ${sentence}`,
    steps.length === 0 ? '  nothing would be done' : '  nothing is written; this would be done:',
    ...formatSteps(steps),
  ]);
  return {
    // What was done: nothing.
    json: { dryRun: true, transactions: [], dirtyLogs: [], restarts: [], plans },
    text: plans.length === 0 ? NOTHING : lines.join('\n'),
  };
}

function hasFailed({ outcome }: { readonly outcome: string }): boolean {
  return outcome === 'failed';
}
