import { describeError, nextStepOf } from './errors.js';
import type { XenHost } from './host.js';
import { readHolder } from './lock.js';
import { requireRoot } from './require-root.js';
import { listRestarts, readRestart } from './restart-record.js';
import { giveAgain, type RestartOutcome } from './restart.js';
import { runFile } from './run-dir.js';

export interface RecoveredRestart {
  /** UUID of the guest. */
  readonly handle: string;
  readonly outcome: Exclude<RestartOutcome, 'nothing'>;
  readonly sentence: string;
}

/**
 * Gives guests what they should have got after a restart, and did not: the process that was at it was killed, or it
 * failed. A guest that is not there loses its claim.
 *
 * @throws XenOperationError XENPT_NOT_ROOT, XENPT_NO_XEN
 */
export async function recoverRestarts(host: XenHost): Promise<readonly RecoveredRestart[]> {
  requireRoot(host, 'give devices to a guest again');
  const recovered: RecoveredRestart[] = [];
  for (const handle of listRestarts(host.runDir)) {
    const entry = await recoverGuest(host, handle);
    if (entry) recovered.push(entry);
  }
  return recovered;
}

async function recoverGuest(host: XenHost, handle: string): Promise<RecoveredRestart | undefined> {
  const options = { released: Promise.resolve(), signal: AbortSignal.abort(), log: () => {} };
  try {
    const before = readRestart(host.runDir, handle);
    const outcome = await giveAgain(host, handle, options);
    if (!before || outcome === 'nothing') return undefined;
    const failures = outcome === 'failed' ? (readRestart(host.runDir, handle)?.failures ?? []) : [];
    const devices = before.devices.map(({ sbdf }) => sbdf).join(', ');
    const sentences: Record<typeof outcome, string> = {
      given: `${before.name} has ${devices} again.`,
      failed: failures.map(({ sbdf, sentence, next }) => `${sbdf} was ${sentence}. ${next}`).join('\n'),
      'not-restarted': `${before.name} was not started again; ${devices} can be given to any guest.`,
      'owner-alive': `${before.name} restarts, and gets ${devices} again; another process sees to it.`,
    };
    return { handle, outcome, sentence: sentences[outcome] };
  } catch (error) {
    const sentence = `${describeError(error)}. ${nextStepOf(error) ?? 'Run it again.'}`;
    return { handle, outcome: 'failed', sentence };
  }
}

/**
 * What an operator has to know of guests that have restarted: a few words for each device.
 *
 * @param only UUID of the guest that is asked about
 */
export function restartNotes(host: Pick<XenHost, 'runDir' | 'processes'>, only?: string): string[] {
  const all = listRestarts(host.runDir);
  return (only === undefined ? all : all.filter((handle) => handle === only)).flatMap((handle) => {
    try {
      return notesOf(host, handle);
    } catch (error) {
      return [`${describeError(error)}. ${nextStepOf(error) ?? ''}`];
    }
  });
}

function notesOf({ runDir, processes }: Pick<XenHost, 'runDir' | 'processes'>, handle: string): string[] {
  const record = readRestart(runDir, handle);
  if (!record) return [];
  const { name, devices, failures } = record;
  if (failures.length > 0) return failures.map(({ sbdf, sentence, next }) => `${sbdf} was ${sentence}. ${next}`);
  const holder = readHolder(runFile.restartLock(runDir, handle));
  const isAwaited = holder !== undefined && processes.isAlive(holder);
  return devices.map(({ sbdf }) =>
    isAwaited
      ? `${sbdf} is given to ${name} again when it has restarted.`
      : `${sbdf} was to be given to ${name} again, but the process that waits for its restart is gone. ` +
        'Run: xenpt recover',
  );
}
