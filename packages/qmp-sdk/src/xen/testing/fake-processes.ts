import type { ProcessList, RunningProcess } from '../host.js';

/** The processes of a fake host: at first only the one that runs the test. */
export class FakeProcesses implements ProcessList {
  readonly #processes = new Map<number, { readonly startedAt: string; readonly words: readonly string[] }>();
  readonly #stopped = new Set<number>();

  constructor(pid: number) {
    this.start(pid, ['node', 'test']);
  }

  start(pid: number, words: readonly string[], startedAt = '1000'): void {
    this.#processes.set(pid, { startedAt, words });
  }

  /** As SIGSTOP does. */
  stop(pid: number): void {
    this.#stopped.add(pid);
  }

  /** As SIGKILL does. */
  kill(pid: number): void {
    this.#processes.delete(pid);
  }

  startedAt(pid: number): string | null {
    return this.#processes.get(pid)?.startedAt ?? null;
  }

  state(pid: number): string | null {
    if (!this.#processes.has(pid)) return null;
    return this.#stopped.has(pid) ? 'T' : 'S';
  }

  group(pid: number): number | null {
    return this.#processes.has(pid) ? pid : null;
  }

  running(): RunningProcess[] {
    return [...this.#processes].map(([pid, { words }]) => ({ pid, words }));
  }
}
