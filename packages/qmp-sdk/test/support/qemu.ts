import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectOptions } from '../../src/node/connect.js';
import type { QmpClient } from '../../src/qmp/client.js';

/**
 * Another one, as `chroot ROOT qemu-system-x86_64`, would need its sockets outside: a wrapper script can be named.
 */
export const qemuBinary = process.env['XENPT_TEST_QEMU'] ?? '/usr/bin/qemu-system-x86_64';
export const hasQemu = existsSync(qemuBinary);

/** One QEMU without KVM, in a folder of its own that goes with it. */
export class Qemu implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'xenpt-qemu-'));
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
  #errors = '';

  /** `{}` in an argument is the folder. A second monitor is at `{}/second.qmp`. */
  constructor(args: readonly string[], user: { readonly uid?: number } = {}) {
    if (user.uid !== undefined) chownSync(this.folder, user.uid, user.uid);
    const inFolder = (text: string) => text.replaceAll('{}', this.folder);
    const monitors = ['qmp', 'second.qmp'].flatMap((name) => ['-qmp', `unix:{}/${name},server=on,wait=off`]);
    const all = ['-nodefaults', '-display', 'none', '-accel', 'tcg', ...monitors, ...args].map(inFolder);
    this.process = spawn(qemuBinary, all, { ...user, stdio: ['ignore', 'ignore', 'pipe'] });
    this.process.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.ended = new Promise((resolve) => this.process.once('exit', () => resolve()));
  }

  get errors(): string {
    return this.#errors;
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
