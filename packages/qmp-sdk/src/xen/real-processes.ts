import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessList, RunningProcess } from './host.js';

/** Fields of /proc/PID/stat after the name in parentheses (proc_pid_stat(5), fields 3, 5 and 22). */
const STATE_INDEX = 0;
const GROUP_INDEX = 2;
const START_TIME_INDEX = 19;
/** A zombie, or what is left of one: it does nothing any more. */
const ENDED_STATES = new Set(['Z', 'X', 'x']);

/** For this long a process without a command line is taken to have none: sooner no process id comes round again. */
const KERNEL_THREADS_KNOWN_MS = 5_000;
const COMMAND_LINE_BYTES_MAX = 4096;

/** The processes that a proc file system shows. */
export function createProcessList(proc = '/proc', now: () => number = () => performance.now()): ProcessList {
  const kernelThreads = new Set<string>();
  let knownSinceMs = -Infinity;
  return {
    startedAt: (pid) => statOf(proc, pid)?.[START_TIME_INDEX] ?? null,
    state: (pid) => statOf(proc, pid)?.[STATE_INDEX] ?? null,
    group: (pid) => Number(statOf(proc, pid)?.[GROUP_INDEX] ?? 0) || null,
    running: () => {
      if (now() - knownSinceMs > KERNEL_THREADS_KNOWN_MS) {
        kernelThreads.clear();
        knownSinceMs = now();
      }
      return running(proc, kernelThreads);
    },
  };
}

/** Null for one that has ended. */
function statOf(proc: string, pid: number): readonly string[] | null {
  const stat = readIfThere(join(proc, String(pid), 'stat'));
  if (stat === null) return null;
  // The name may hold anything, also parentheses and spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ENDED_STATES.has(fields[STATE_INDEX] ?? '') ? null : fields;
}

/** Most processes of a host are threads of its kernel; looking at each of them anew is most of the time this takes. */
function* running(proc: string, kernelThreads: Set<string>): Generator<RunningProcess> {
  const buffer = Buffer.allocUnsafe(COMMAND_LINE_BYTES_MAX);
  for (const name of readdirSync(proc)) {
    if (!/^[1-9][0-9]*$/.test(name) || kernelThreads.has(name)) continue;
    const line = readStart(join(proc, name, 'cmdline'), buffer);
    if (line === '') kernelThreads.add(name);
    else if (line !== null) yield { pid: Number(name), words: line.replace(/\0$/, '').split('\0') };
  }
}

/** With as few system calls as possible. Null for a process that has ended in the meantime. */
function readStart(path: string, buffer: Buffer): string | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

/** Null for a process that has ended in the meantime. */
function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
