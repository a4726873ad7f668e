import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill } from 'node:process';
import { afterEach } from 'vitest';
import { createProcessList } from '../../src/xen/real-processes.js';

const made: string[] = [];
const withProcesses: string[] = [];
afterEach(() => {
  for (const folder of withProcesses.splice(0)) endProcesses(folder);
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder of this test alone, removed after it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-test-'));
  made.push(folder);
  return folder;
}

/** The same for processes that have it in their command line: after the test they are ended, however it went. */
export function processFolder(): string {
  const folder = temporaryFolder();
  withProcesses.push(folder);
  return folder;
}

const MOST_ROUNDS = 1000;

/** Again and again: a shell may have started its process anew before it was killed itself. */
export function endProcesses(folder: string): void {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const pids = processesOf(folder);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
  }
}

/** A killed one that nobody has waited for yet has no command line. */
export function processesOf(folder: string): number[] {
  return [...createProcessList().running()]
    .filter(({ words }) => words.some((word) => word.includes(folder)))
    .map(({ pid }) => pid);
}
