import { type RecoveredDirtyLog, recoverDirtyLogs } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import type { Verb } from '../verb.js';

export const recover: Verb = {
  name: 'recover',
  summary: 'switch off what a killed xenpt left on: dirty logging of guests',
  arguments: [],
  examples: [
    ['xenpt recover', 'after a dirty-rate was killed with SIGKILL; harmless at any other time'],
    ['xenpt recover --json', 'what was found and done, for a script'],
  ],
  exitCodes: [ExitCode.failed, ExitCode.manualRecovery, ExitCode.timeout, ExitCode.noHypervisor],
  run: async ({ host }) => {
    const dirtyLogs = await recoverDirtyLogs(host);
    const failed = dirtyLogs.filter(hasFailed);
    return {
      json: { dirtyLogs },
      text:
        dirtyLogs.length === 0
          ? 'Nothing to recover: no dirty logging is recorded as on.'
          : dirtyLogs
              .filter((entry) => !hasFailed(entry))
              .map(({ sentence }) => sentence)
              .join('\n'),
      notes: failed.map(({ sentence }) => sentence),
      exitCode: failed.length === 0 ? ExitCode.ok : ExitCode.manualRecovery,
    };
  },
};

function hasFailed({ outcome }: RecoveredDirtyLog): boolean {
  return outcome === 'failed';
}
