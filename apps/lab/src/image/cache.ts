import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where images and downloads are kept: `${XDG_CACHE_HOME:-~/.cache}/xenpt-lab`. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'xenpt-lab');
}

/** How often a waiting process looks whether another one's build has ended. */
const pollMs = 250;

/**
 * The folder `directory`, made by `build` if it is not there yet. `build` fills a folder beside it, which is renamed
 * into place when it is complete: whatever interrupts a build, `directory` either exists whole or not at all. One
 * process builds at a time, others wait; what dead processes left behind is removed.
 */
export async function ensureDirectory(
  directory: string,
  build: (aside: string) => Promise<void>,
  signal?: AbortSignal,
): Promise<{ built: boolean }> {
  if (exists(directory)) return { built: false };
  mkdirSync(dirname(directory), { recursive: true });
  const release = await takeLock(directory, signal);
  const aside = `${directory}.building-${process.pid}`;
  try {
    if (exists(directory)) return { built: false };
    removeLeftovers(directory);
    mkdirSync(aside);
    await build(aside);
    signal?.throwIfAborted();
    renameSync(aside, directory);
    return { built: true };
  } finally {
    rmSync(aside, { recursive: true, force: true });
    release();
  }
}

/** Removes the half-made folders beside `directory` whose builders are dead. */
export function removeLeftovers(directory: string): void {
  const prefix = `${basename(directory)}.building-`;
  for (const name of readdirSync(dirname(directory))) {
    if (!name.startsWith(prefix) || isAlive(Number(name.slice(prefix.length)))) continue;
    rmSync(join(dirname(directory), name), { recursive: true, force: true });
  }
}

/**
 * A lock that ends with its owner, however that ends: an abstract unix socket (unix(7)), which only one process can
 * bind. A lock file would outlive a killed process.
 */
async function takeLock(path: string, signal?: AbortSignal): Promise<() => void> {
  const name = `\0xenpt-lab-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
  for (;;) {
    signal?.throwIfAborted();
    const server = createServer();
    const bound = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) =>
        cause.code === 'EADDRINUSE' ? resolve(false) : reject(cause),
      );
      server.listen(name, () => resolve(true));
    });
    if (bound) return () => void server.close();
    await sleep(pollMs, undefined, { signal });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
