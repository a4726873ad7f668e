import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { Clock, ProcessTable } from './host.js';

const RETRY_INTERVAL_MS = 100;

/**
 * Creates `path` exclusively with our process id in it, at once: who is killed on the way leaves no lock. Returns
 * undefined if a living process holds it; a lock whose process is gone is taken over.
 */
export function tryLock(path: string, processes: ProcessTable): { release(): void } | undefined {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      createWith(path, processes.pid);
      return { release: () => release(path, processes.pid) };
    } catch (error) {
      if (errnoName(error) !== 'EEXIST') throw error;
    }
    const holder = readHolder(path);
    // A lock without a number is none of ours.
    if (holder === undefined || processes.isAlive(holder)) return undefined;
    takeAside(path, holder, processes.pid);
  }
  return undefined;
}

/**
 * One mutating operation on this host at a time: Xen's grants, sysfs and the ledgers are changed from one place.
 *
 * @throws XenOperationError XENPT_LOCKED after `timeoutMs`.
 */
export async function withLock<T>(
  path: string,
  host: { readonly clock: Clock; readonly processes: ProcessTable },
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = host.clock.now() + timeoutMs;
  let lock = tryLock(path, host.processes);
  while (!lock) {
    if (host.clock.now() >= deadline) {
      throw new XenOperationError(
        XenErrorCode.locked,
        `process ${readHolder(path) ?? '(unknown)'} still holds ${path} after ${timeoutMs / 1000} s`,
        { next: `Wait for it, or end it; if no such process exists, remove ${path}.` },
      );
    }
    await host.clock.sleep(RETRY_INTERVAL_MS);
    lock = tryLock(path, host.processes);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** @throws EEXIST */
function createWith(path: string, pid: number): void {
  const aside = `${path}.new-${pid}`;
  writeFileSync(aside, String(pid), { mode: 0o600 });
  try {
    linkSync(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

/** The process that holds it, dead or alive; undefined if none does. */
export function readHolder(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    return /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

function release(path: string, pid: number): void {
  if (readHolder(path) === pid) rmSync(path, { force: true });
}

/** Renaming is atomic, so of two processes that find the same dead holder only one gets the file. */
function takeAside(path: string, deadHolder: number, pid: number): void {
  const aside = `${path}.stale-${pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return;
    throw error;
  }
  // Somebody else was faster and the file is already theirs: give it back unless a third one has locked since.
  if (readHolder(aside) !== deadHolder) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (errnoName(error) !== 'EEXIST') throw error;
    }
  }
  rmSync(aside, { force: true });
}
