import {
  forgetDeadDomains,
  planRecovery,
  recoverAssignable,
  type RecoveredDevice,
  type RecoveredDirtyLog,
  type RecoveredRestart,
  type RecoveredTransaction,
  recoverDevices,
  recoverDirtyLogs,
  recoverRestarts,
  type XenHost,
} from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { recovered, recoveryPlans } from '../output/assignable-schema.js';
import { dryRunOption, formatSteps } from '../output/plan.js';
import type { Verb, VerbOutput } from '../verb.js';

type Recovered = RecoveredDevice | RecoveredDirtyLog | RecoveredRestart | RecoveredTransaction;

export const recover: Verb = {
  name: 'recover',
  summary:
    'end what a killed xenpt left: devices between drivers, half with a guest or between its lives, dirty logging',
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
    // Before restarts: a guest is not given again what is half given.
    const devices = await recoverDevices(host);
    const restarts = await recoverRestarts(host);
    const leftovers = await forgetDeadDomains(host);
    const all: readonly Recovered[] = [...transactions, ...dirtyLogs, ...devices, ...restarts];
    const failed = all.filter(hasFailed);
    return {
      json: { transactions, dirtyLogs, devices, restarts },
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
  'Nothing to recover: no device is between two drivers or half with a guest, no dirty logging is recorded as on, ' +
  'no guest waits.';

async function dryRun(host: XenHost): Promise<VerbOutput> {
  const plans = await planRecovery(host);
  const lines = plans.flatMap(({ subject, sentence, steps }) => [
    `${subject}: ${sentence}`,
    steps.length === 0 ? '  nothing would be done' : '  nothing is written; this would be done:',
    ...formatSteps(steps),
  ]);
  return {
    // What was done: nothing.
    json: { dryRun: true, transactions: [], dirtyLogs: [], devices: [], restarts: [], plans },
    text: plans.length === 0 ? NOTHING : lines.join('\n'),
  };
}

function hasFailed({ outcome }: { readonly outcome: string }): boolean {
  return outcome === 'failed';
}
