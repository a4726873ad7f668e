import type { ProcessList, RunningProcess } from '../host.js';

/** The processes of a fake host: at first only the one that runs the test. */
export class FakeProcesses implements ProcessList {
  readonly #processes = new Map<number, { readonly startedAt: string; readonly words: readonly string[] }>();

  constructor(pid: number) {
    this.start(pid, ['node', 'test']);
  }

  start(pid: number, words: readonly string[], startedAt = '1000'): void {
    this.#processes.set(pid, { startedAt, words });
  }

  /** As SIGKILL does. */
  kill(pid: number): void {
    this.#processes.delete(pid);
  }

  startedAt(pid: number): string | null {
    return this.#processes.get(pid)?.startedAt ?? null;
  }

  running(): RunningProcess[] {
    return [...this.#processes].map(([pid, { words }]) => ({ pid, words }));
  }
}
