import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect, type ConnectOptions } from '../../src/node/connect.js';
import type { QmpClient } from '../../src/qmp/client.js';
import { mustHaveQemus, qemuPrograms, whyNoQemu, type QemuProgram } from './programs.js';

/** The machine's own, or the first of the cache. */
export const qemuBinary = qemuPrograms.find(isEmulator)?.command[0] ?? 'qemu-system-x86_64';
export const hasQemu = qemuPrograms.some(isEmulator);

/** The versions whose behaviour the helpers are tested against: what Debian 12 and 13 ship. */
const testedVersions = ['7.2', '10.0'];

/** The same tests for each of those QEMUs that is here. */
export function describeQemus(title: string, tests: (program: string) => void): void {
  for (const version of testedVersions) {
    const program = qemuPrograms.find((each) => isEmulator(each) && each.version === version)?.command[0];
    const name = `${title}, QEMU ${version}`;
    if (program === undefined && mustHaveQemus) test(name, () => expect.fail(whyNoQemu));
    const why = program === undefined ? ` (skipped: ${whyNoQemu})` : '';
    describe.skipIf(program === undefined)(`${name}${why}`, () => tests(program ?? ''));
  }
}

function isEmulator({ binary, command }: QemuProgram): boolean {
  // One inside another root would have its sockets there.
  return binary === 'qemu-system-x86_64' && command.length === 1;
}

/** One QEMU without KVM, in a folder of its own that goes with it. */
export class Qemu implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'xenpt-qemu-'));
  readonly #args: readonly string[];
  readonly #options: { readonly uid?: number; readonly program?: string };
  #process: ChildProcess;
  #ended: Promise<void>;
  #errors = '';

  /** `{}` in an argument is the folder. A second monitor is at `{}/second.qmp`. */
  constructor(args: readonly string[], options: { readonly uid?: number; readonly program?: string } = {}) {
    this.#args = args;
    this.#options = options;
    if (options.uid !== undefined) chownSync(this.folder, options.uid, options.uid);
    [this.#process, this.#ended] = this.#start();
  }

  get process(): ChildProcess {
    return this.#process;
  }

  get ended(): Promise<void> {
    return this.#ended;
  }

  get errors(): string {
    return this.#errors;
  }

  /** The same again at the same sockets, once the one before has ended. */
  async restart(): Promise<void> {
    await this.#ended;
    [this.#process, this.#ended] = this.#start();
  }

  #start(): [ChildProcess, Promise<void>] {
    const { program = qemuBinary, ...user } = this.#options;
    const inFolder = (text: string) => text.replaceAll('{}', this.folder);
    const monitors = ['qmp', 'second.qmp'].flatMap((name) => ['-qmp', `unix:{}/${name},server=on,wait=off`]);
    const all = ['-nodefaults', '-display', 'none', '-accel', 'tcg', ...monitors, ...this.#args].map(inFolder);
    const child = spawn(program, all, { ...user, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    return [child, new Promise((resolve) => child.once('exit', () => resolve()))];
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  connect(options: ConnectOptions & { readonly monitor?: string } = {}): Promise<QmpClient> {
    const { monitor = 'qmp', ...rest } = options;
    const isAlive = () => this.process.exitCode === null;
    return connect({ unix: this.path(monitor) }, { connectTimeoutMs: 30_000, isAlive, ...rest });
  }

  /** SIGSTOP, which takes a moment until every thread stands still. */
  async freeze(): Promise<void> {
    this.process.kill('SIGSTOP');
    const state = () => readFileSync(`/proc/${this.process.pid}/stat`, 'utf8').replace(/^.*\) /, '')[0];
    while (state() !== 'T') await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGKILL');
      await this.ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
