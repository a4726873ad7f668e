import { type ChildProcess, fork } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import type * as bindings from '../../src/index.js';
import { compileFakeXen, compileSources, ensureAddon } from './build.js';

/** What code in the child gets: the package, and an error as plain data. */
export interface ChildTools {
  readonly xen: typeof bindings;
  /** The error that `action` throws; throws itself when there is none. */
  readonly caught: (action: () => unknown) => ChildError;
  /** Tells the test, which waits with {@link FakeXen.childReady}, that the child has come this far. */
  readonly ready: () => void;
  readonly Worker: typeof Worker;
  /** Import path of the package, for a worker of the child. */
  readonly packageUrl: string;
}

export interface ChildError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly errno?: number;
  readonly errnoName?: string;
  readonly call?: string;
  readonly missing?: string;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface Child<Result> {
  readonly process: ChildProcess;
  readonly result: Promise<Result>;
  readonly exit: Promise<ChildExit>;
}

const childScript = fileURLToPath(new URL('../fixtures/child.mjs', import.meta.url));

/**
 * A Xen of files and small C libraries. Code that uses it runs in a child process, where the linker finds the
 * fakes.
 */
export class FakeXen {
  readonly folder = mkdtempSync(join(tmpdir(), 'fake-xen-'));
  readonly #libraries: string;
  readonly #packageUrl: string;
  readonly #children: Child<unknown>[] = [];
  #events: number | undefined;

  private constructor(libraries: string, packageFolder: string) {
    this.#libraries = libraries;
    this.#packageUrl = join(packageFolder, 'index.js');
  }

  static async create(options: { oldRelease?: boolean } = {}): Promise<FakeXen> {
    await ensureAddon();
    return new FakeXen(compileFakeXen(options.oldRelease), compileSources());
  }

  /**
   * Starts `action` in a child. It is sent as text: it sees its parameters and nothing else, so
   * no `using` either, which is compiled to helpers outside.
   */
  start<Argument, Result>(
    action: (tools: ChildTools, argument: Argument) => Result | Promise<Result>,
    argument: Argument,
  ): Child<Result> {
    const child = fork(childScript, [], {
      env: { ...process.env, LD_LIBRARY_PATH: this.#libraries, FAKE_XEN_FOLDER: this.folder },
      execArgv: ['--expose-gc'],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const exit = new Promise<ChildExit>((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, stderr }));
    });
    const result = new Promise<Result>((resolve, reject) => {
      child.on('message', (message: { result: Result } | { error: string }) => {
        if ('error' in message) reject(new Error(message.error));
        else resolve(message.result);
      });
      void exit.then((how) => reject(new Error(`the child ended without a result: ${JSON.stringify(how)}`)));
    });
    result.catch(() => undefined); // whoever waits for it hears of it; a test that failed before does not wait
    child.send({ action: action.toString(), argument, packageUrl: this.#packageUrl });
    const started = { process: child, result, exit };
    this.#children.push(started);
    return started;
  }

  /** Runs `action` in a child to its end. Throws unless the child exits with 0 and prints nothing to stderr. */
  async run<Argument, Result>(
    action: (tools: ChildTools, argument: Argument) => Result | Promise<Result>,
    argument: Argument,
  ): Promise<Result> {
    const child = this.start(action, argument);
    const result = await child.result;
    const { code, signal, stderr } = await child.exit;
    if (code !== 0 || stderr !== '') throw new Error(`the child ended with ${code ?? signal}: ${stderr}`);
    return result;
  }

  async childReady(): Promise<void> {
    await until(() => existsSync(join(this.folder, 'ready')));
  }

  /** The recorded calls, open and close of handles left out. */
  calls(): string[] {
    return this.allCalls().filter((line) => !/^\w+_(open|close)\b/.test(line));
  }

  allCalls(): string[] {
    const path = join(this.folder, 'calls.log');
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  }

  /** The next `count` calls of a C function fail with this errno. */
  fail(call: string, errno: number, count = 1): void {
    this.write(`fail-${call}`, `${errno} ${count}`);
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), content);
  }

  /** Raises an event on a local port, once somebody has opened the event channels. */
  async raiseEvent(localPort: number): Promise<void> {
    const path = join(this.folder, 'events');
    await until(() => existsSync(path));
    // Both directions, so that it does not wait for a reader; kept open, so that nothing is lost when the child
    // closes.
    this.#events ??= openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    writeSync(this.#events, Uint32Array.of(localPort));
  }

  /** Ends what is still running and removes the folder. */
  async remove(): Promise<void> {
    for (const child of this.#children) child.process.kill('SIGKILL');
    await Promise.all(this.#children.map(({ exit }) => exit));
    if (this.#events !== undefined) closeSync(this.#events);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits for a condition that another process makes true. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not after 20 s: ${condition.toString()}`);
    await setTimeout(5);
  }
}
