import {
  forgetDeadDomains,
  recoverAssignable,
  type RecoveredDirtyLog,
  type RecoveredRestart,
  type RecoveredTransaction,
  recoverDirtyLogs,
  recoverRestarts,
} from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { recovered } from '../output/assignable-schema.js';
import type { Verb } from '../verb.js';

export const recover: Verb = {
  name: 'recover',
  summary: 'end what a killed xenpt left: devices between two drivers or two lives of a guest, dirty logging',
  arguments: [],
  examples: [
    ['xenpt recover', 'after xenpt was killed with SIGKILL; harmless at any other time'],
    ['xenpt recover --json', 'what was found and done, for a script'],
  ],
  schema: recovered,
  exitCodes: [ExitCode.failed, ExitCode.manualRecovery, ExitCode.timeout, ExitCode.noHypervisor],
  run: async ({ host }) => {
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
          ? 'Nothing to recover: no device is between two drivers, no dirty logging is recorded as on, no guest waits.'
          : all
              .filter((entry) => !hasFailed(entry))
              .map(({ sentence }) => sentence)
              .join('\n'),
      notes: [...failed.map(({ sentence }) => sentence), ...leftovers],
      exitCode: failed.length + leftovers.length === 0 ? ExitCode.ok : ExitCode.manualRecovery,
    };
  },
};

function hasFailed({ outcome }: { readonly outcome: string }): boolean {
  return outcome === 'failed';
}
