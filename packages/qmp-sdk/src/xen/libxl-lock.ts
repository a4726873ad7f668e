import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, rmSync, statSync } from 'node:fs';
import { tryFlock, XenUnavailableError } from '@xenpt/xen-bindings';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';

/** A file that is replaced as often as this while it is waited for is being played with. */
const MAX_ATTEMPTS = 1000;

export interface LibxlLockOptions {
  readonly timeoutMs: number;
  /** For the error: `the guest's QEMU monitor`. */
  readonly guards: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes a lock that libxl takes, around each use of a guest's QMP socket or of its configuration, in libxl's way
 * (libxl__lock_file, tools/libs/light/libxl_internal.c): open, flock(2), and see whether the file is still the one at
 * that path, since whoever lets go removes it.
 *
 *     libxl   open ─ flock ─ same inode? ─ …………………………… ─ unlink ─ close
 *     we      open ─ flock ──────────────── waits ──────────────────────── wrong inode: again
 *
 * The bindings have a flock(2) that does not wait, which is what there is to do mostly. If somebody has the lock, or
 * there is no addon: a lock belongs to the open file and not to the process, so flock(1) of util-linux waits for it on
 * a descriptor that it inherits, ends, and the lock stays until we close. If we die, the kernel lets go for us.
 *
 * @throws XenOperationError XENPT_LOCKED after `timeoutMs`, or if there is no flock(1); the signal's reason.
 */
export async function takeLibxlLock(path: string, options: LibxlLockOptions): Promise<{ release(): void }> {
  const { timeoutMs } = options;
  const deadline = performance.now() + timeoutMs;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      if (!isTaken(fd)) await flock(fd, Math.max(0, deadline - performance.now()), path, options);
      if (isStillAt(fd, path)) return { release: () => release(fd, path) };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
  }
  throw locked(path, options);
}

/** Whether it could be had at once. */
function isTaken(fd: number): boolean {
  try {
    return tryFlock(fd);
  } catch (error) {
    if (error instanceof XenUnavailableError) return false;
    throw error;
  }
}

/** Unlinked while it is still locked: who waits for it then sees that the file is gone. */
function release(fd: number, path: string): void {
  try {
    rmSync(path, { force: true });
  } finally {
    closeSync(fd);
  }
}

function isStillAt(fd: number, path: string): boolean {
  try {
    const [held, there] = [fstatSync(fd, { bigint: true }), statSync(path, { bigint: true })];
    return held.ino === there.ino && held.dev === there.dev;
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Exit code of flock(1) for "not in time", told apart from its own failures (1, 64 to 74). */
const NOT_IN_TIME = 9;

function flock(fd: number, leftMs: number, path: string, options: LibxlLockOptions): Promise<void> {
  const { guards, signal } = options;
  const wait = ['-w', (leftMs / 1000).toFixed(3), '-E', String(NOT_IN_TIME)];
  // Descriptor 3 of the child is ours.
  const child = spawn('flock', ['-x', ...wait, '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    ...(signal ? { signal } : {}),
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-500)));
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(signal?.aborted === true ? (signal.reason as Error) : noFlock(guards, cause)),
    );
    child.once('close', (code) => {
      if (code === 0) resolve();
      else if (code === NOT_IN_TIME) reject(locked(path, options));
      else reject(noFlock(guards, new Error(said.trim() || `exit ${code}`)));
    });
  });
}

function locked(path: string, { guards, timeoutMs }: LibxlLockOptions): XenOperationError {
  return new XenOperationError(
    XenErrorCode.locked,
    `another command has used ${guards} for ${Math.round(timeoutMs)} ms, and still does`,
    { next: `Wait for it; \`fuser ${path}\` names it.` },
  );
}

function noFlock(guards: string, cause: Error): XenOperationError {
  return new XenOperationError(
    XenErrorCode.stepFailed,
    `libxl's lock on ${guards} cannot be taken: flock(1) does not work here`,
    { cause, next: 'Install util-linux.' },
  );
}
