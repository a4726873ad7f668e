import { readdirSync } from 'node:fs';
import { XenErrorCode, XenOperationError } from './errors.js';
import type { ProcessList, XenHost } from './host.js';
import { readHolder } from './lock.js';
import { runFile } from './run-dir.js';

/** A guest's device model, as the kernel sees its process. */
export interface ModelProcess {
  readonly pid: number;
  /** proc_pid_stat(5): `R`, `S`, `D`, `T` and so on. */
  readonly state: string;
}

/** Null if none runs. */
export function readModelProcess(
  host: { readonly runDir: string; readonly processList: Pick<ProcessList, 'state'> },
  domid: number,
): ModelProcess | null {
  const pid = readHolder(runFile.modelLock(host.runDir, domid));
  const state = pid === undefined ? null : host.processList.state(pid);
  return pid === undefined || state === null ? null : { pid, state };
}

/** By a signal (T) or by a debugger (t): it does nothing until it is told to go on. */
export function isStopped({ state }: ModelProcess): boolean {
  return state === 'T' || state === 't';
}

export function describeProcess({ pid, state }: ModelProcess): string {
  const meanings: Readonly<Record<string, string>> = {
    T: 'is stopped',
    t: 'is stopped by a debugger',
    D: 'waits in the kernel',
    R: 'is running',
    S: 'sleeps',
  };
  return `process ${pid} ${meanings[state] ?? 'is in a state of its own'} (${state})`;
}

export function stoppedNextStep({ pid }: ModelProcess): string {
  return `Let it go on: kill -CONT ${pid}. Or have another process go on in its place: kill -KILL ${pid}.`;
}

export function modelNotRunning(domid: number): XenOperationError {
  return new XenOperationError(XenErrorCode.modelNotRunning, `the device model of domain ${domid} is not running`, {
    next: `See its log in /var/log/xenpt; the guest has to be destroyed: xl destroy ${domid}`,
  });
}

/**
 * Of every guest whose device model is stopped, a sentence with the next step.
 *
 * @param only of this guest alone
 */
export function stoppedModels(host: Pick<XenHost, 'runDir' | 'processList'>, only?: number): string[] {
  const domids = only === undefined ? domainsWithFolder(host.runDir) : [only];
  return domids.flatMap((domid) => {
    const found = readModelProcess(host, domid);
    if (found === null || !isStopped(found)) return [];
    const what = `The device model of domain ${domid} does not serve it: its ${describeProcess(found)}.`;
    return [`${what} ${stoppedNextStep(found)}`];
  });
}

/** Of guests that have or had a device of ours. */
export function domainsWithFolder(runDir: string): number[] {
  try {
    return readdirSync(runDir)
      .flatMap((name) => /^domain-([0-9]{1,5})$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    // Nothing was ever attached, or whoever asks may not look.
    return [];
  }
}
