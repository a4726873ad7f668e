// QEMU with its processor stopped (-S): no firmware and no system runs, the clock stands, and the machine does only
// what the qtest protocol tells it over a pipe. One line a command, one line an answer, in order.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const answerTimeoutMs = 20_000;

export class Qtest {
  #child;
  #waiting = [];
  #complaint = '';
  #ended = false;

  /** @param arguments_ of the machine: devices, backends */
  constructor(qemu, arguments_) {
    const own = ['-accel', 'tcg', '-S', '-qtest', 'stdio', '-qtest-log', 'none', '-display', 'none', '-nodefaults'];
    this.#child = spawn(qemu, [...own, ...arguments_], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.on('data', (text) => (this.#complaint += text));
    this.#child.stdin.on('error', () => {});
    createInterface(this.#child.stdout).on('line', (line) => this.#answer(line));
    this.closed = new Promise((resolve) => {
      this.#child.on('close', () => {
        this.#ended = true;
        for (const { reject } of this.#waiting.splice(0)) reject(new Error(this.#reason()));
        resolve();
      });
    });
  }

  /** @returns what follows OK */
  command(text) {
    if (this.#ended) return Promise.reject(new Error(this.#reason()));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${text}`)), answerTimeoutMs);
      this.#waiting.push({
        resolve: (value) => (clearTimeout(timer), resolve(value)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      });
      this.#child.stdin.write(`${text}\n`);
    });
  }

  outl(port, value) {
    return this.command(`outl 0x${port.toString(16)} 0x${value.toString(16)}`);
  }

  async inl(port) {
    return Number(await this.command(`inl 0x${port.toString(16)}`));
  }

  /** @param width b, w or l */
  write(width, address, value) {
    return this.command(`write${width} 0x${address.toString(16)} 0x${value.toString(16)}`);
  }

  async read(width, address) {
    return Number(await this.command(`read${width} 0x${address.toString(16)}`));
  }

  async close() {
    this.#child.kill('SIGKILL');
    await this.closed;
  }

  #answer(line) {
    if (!line.startsWith('OK') && !line.startsWith('FAIL') && !line.startsWith('ERR')) return;
    const waiting = this.#waiting.shift();
    if (line.startsWith('OK')) waiting?.resolve(line.slice(3));
    else waiting?.reject(new Error(line));
  }

  #reason() {
    const telling = this.#complaint
      .split('\n')
      .filter((line) => line !== '' && !/^\*\*|: warning: |: info: /.test(line));
    return telling[0]?.replace(/^qemu-system-x86_64: /, '') ?? 'QEMU ended without a word';
  }
}
