import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const systemProgram = 'qemu-system-x86_64';

/** Whether there is a QEMU to compare with. */
export const haveQemu = spawnSync(systemProgram, ['--version']).status === 0;

/** A QEMU without a machine: it starts in a moment and speaks all of QMP. */
export class RealQemu {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'real-qemu-'));
  readonly child: ChildProcess;

  /** `monitors`: name and further options of each, `{ a: '', b: ',pretty=on' }`; the socket is {@link socket}(name). */
  constructor(monitors: Readonly<Record<string, string>> = { a: '' }, program = systemProgram) {
    const chardevs = Object.entries(monitors).flatMap(([name, options]) => [
      '-chardev',
      `socket,id=${name},path=${this.socket(name)},server=on,wait=off`,
      '-mon',
      `chardev=${name},mode=control${options}`,
    ]);
    const quiet = ['-machine', 'none', '-S', '-display', 'none', '-nodefaults'];
    this.child = spawn(program, [...quiet, ...chardevs], { stdio: 'ignore' });
  }

  socket(name = 'a'): string {
    return path.join(this.folder, `${name}.sock`);
  }

  /**
   * Waits until its first monitor greets, for the socket is there before anybody listens on it, and then until QEMU has
   * let go of that connection: it hangs up on one that comes in between.
   */
  async ready(): Promise<this> {
    while (!(await greets(this.socket()))) await new Promise((resolve) => setTimeout(resolve, 10));
    while (this.#connections() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return this;
  }

  /** QEMU's ends of connections to its first monitor: all sockets of that name but the one it listens on. */
  #connections(): number {
    const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
    return lines.filter((line) => line.endsWith(` ${this.socket()}`)).length - 1;
  }

  /** SIGSTOP, which takes a moment until every thread stands still. */
  async freeze(): Promise<void> {
    this.child.kill('SIGSTOP');
    const state = () => readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').replace(/^.*\) /, '')[0];
    while (state() !== 'T') await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function greets(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('data', () => socket.destroy());
    socket.once('error', () => resolve(false));
    socket.once('close', (failed) => resolve(!failed));
  });
}
