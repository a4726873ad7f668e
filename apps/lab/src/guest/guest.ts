import { setTimeout as sleep } from 'node:timers/promises';
import { shortened } from '../agent/exec.js';
import type { AgentClient } from '../agent/client.js';
import type { ExecOptions } from '../agent/exec.js';
import { LabError, LabErrorCode, lastLines, plainText, type ConsoleTail } from '../errors.js';
import { cpioFile, createCpio } from '../image/cpio.js';
import { entrySizeOffset } from '../image/linux-image.js';
import { defaultGuestModules, guestConfig, guestFiles, guestHome, type GuestOptions } from './config.js';
import { GuestConsole } from './console.js';

/** What a guest needs of its host; {@link Lab} is one. */
export interface GuestHost {
  run(command: string, options?: ExecOptions): Promise<string>;
  writeFile(path: string, content: string | Uint8Array): Promise<void>;
  consoles(): ConsoleTail[];
}

export interface GuestExecResult {
  readonly exitCode: number;
  /** Standard output and error, as they came. */
  readonly output: string;
}

const createTimeoutMs = 180_000;
const readyTimeoutMs = 240_000;
const commandTimeoutMs = 120_000;
const pollMs = 50;

/** An HVM guest: busybox on Debian's kernel. */
export class Guest {
  readonly name: string;
  readonly domid: number;
  readonly #host: GuestHost;
  readonly #agent: AgentClient;
  /** What QEMU's serial port said: firmware, and a kernel in distress. */
  readonly #serial: GuestConsole;
  /** Xen's console, on which the guest takes commands. */
  readonly #console: GuestConsole;
  #commands = 0;
  #last: Promise<unknown> = Promise.resolve();
  #destroyed = false;

  private constructor(
    { host, agent, name, serial }: { host: GuestHost; agent: AgentClient; name: string; serial: GuestConsole },
    domid: number,
    console: GuestConsole,
  ) {
    this.#host = host;
    this.#agent = agent;
    this.name = name;
    this.domid = domid;
    this.#serial = serial;
    this.#console = console;
  }

  /** Creates the guest with `xl create`. Throws LabError `LAB_EXEC_FAILED` with xl's words. */
  static async create(host: GuestHost, agent: AgentClient, options: GuestOptions): Promise<Guest> {
    const files = guestFiles(options.name);
    const fragments = (options.modules ?? defaultGuestModules).map((name) => `${guestHome}/modules/${name}.cpio`);
    if (options.script !== undefined) {
      await host.writeFile(files.script, createCpio([cpioFile('lab/script.sh', Buffer.from(options.script))]));
      fragments.push(files.script);
    }
    await host.writeFile(files.config, guestConfig(options));
    const serial = new GuestConsole(agent, { op: 'listen', path: files.serial });
    try {
      await serial.opened;
      const script = createScript(options, [`${guestHome}/base.cpio`, ...fragments]);
      const [domid, terminal = ''] = (await host.run(script, { timeoutMs: createTimeoutMs })).trim().split(' ');
      const console = new GuestConsole(agent, { op: 'tty', path: terminal });
      await console.opened;
      return new Guest({ host, agent, name: options.name, serial }, Number(domid), console);
    } catch (cause) {
      serial.close();
      throw cause;
    }
  }

  /** All that the guest printed on its consoles. */
  get consoleText(): string {
    return plainText(`${this.#serial.lastText}\n${this.#console.lastText}`);
  }

  /** The guest's console, and the machine's, as errors show them. */
  consoles(): ConsoleTail[] {
    return [{ name: `guest ${this.name}`, text: lastLines(this.consoleText) }, ...this.#host.consoles()];
  }

  /** Waits for a line of the console. Resolves with the match. Throws LabError `LAB_GUEST_TIMEOUT`. */
  async waitForLine(pattern: RegExp, options: { timeoutMs?: number } = {}): Promise<RegExpExecArray> {
    const timeoutMs = options.timeoutMs ?? readyTimeoutMs;
    const once = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    const find = () => {
      for (const line of this.consoleText.split('\n')) {
        const match = once.exec(line);
        if (match) return match;
      }
      return null;
    };
    const match = await this.#waitFor(find, timeoutMs);
    if (match) return match;
    throw this.#timeout(`did not print ${String(pattern)}`, timeoutMs);
  }

  /** Waits until the guest takes commands. */
  async waitUntilReady(options: { timeoutMs?: number } = {}): Promise<void> {
    const timeoutMs = options.timeoutMs ?? readyTimeoutMs;
    const up = await this.#waitFor(() => this.#console.text.includes('@lab-up') || null, timeoutMs);
    if (!up) throw this.#timeout('was not ready', timeoutMs);
  }

  /** Runs a busybox shell command in the guest, one at a time, once it is ready. */
  exec(command: string, options: { timeoutMs?: number } = {}): Promise<GuestExecResult> {
    const result = this.#last.then(() => this.#exec(command, options.timeoutMs ?? commandTimeoutMs));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Starts a guest that was created paused. */
  async unpause(): Promise<void> {
    await this.#host.run(`xl unpause ${this.domid}`);
  }

  /**
   * After a reboot: the domain that `xl` started in place of this one. This one is not to be used any more.
   *
   * @param name after `xl rename`
   */
  async restarted(name: string = this.name): Promise<Guest> {
    const script = `for attempt in $(seq 600); do
  domid=$(xl domid ${name} 2>/dev/null) && [ "$domid" != ${this.domid} ] &&
    terminal=$(xenstore-read /local/domain/$domid/console/tty 2>/dev/null) && [ -n "$terminal" ] &&
    echo "$domid $terminal" && exit 0
  sleep 0.1
done
exit 1`;
    const [domid, terminal = ''] = (await this.#host.run(script, { timeoutMs: createTimeoutMs })).trim().split(' ');
    this.#destroyed = true;
    this.#console.close();
    const console = new GuestConsole(this.#agent, { op: 'tty', path: terminal });
    await console.opened;
    const same = { host: this.#host, agent: this.#agent, name, serial: this.#serial };
    return new Guest(same, Number(domid), console);
  }

  /** Destroys the guest. Twice is fine, and so is a guest that has gone by itself. */
  async destroy(): Promise<void> {
    if (this.#destroyed) return;
    this.#destroyed = true;
    await this.#host.run(`! xl domname ${this.domid} >/dev/null 2>&1 || xl destroy ${this.domid}`);
    this.#serial.close();
    this.#console.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy();
  }

  async #exec(command: string, timeoutMs: number): Promise<GuestExecResult> {
    await this.waitUntilReady();
    const id = ++this.#commands;
    this.#console.send(`${id} ${Buffer.from(command).toString('base64')}\n`);
    const pattern = new RegExp(`@lab-begin ${id}\n([^]*)\n@lab-end ${id} (\\d+)\n`);
    const match = await this.#waitFor(() => pattern.exec(this.#console.text), timeoutMs);
    if (!match) throw this.#timeout(`did not finish "${shortened(command)}"`, timeoutMs);
    return { exitCode: Number(match[2]), output: Buffer.from(match[1] ?? '', 'latin1').toString() };
  }

  /** What `find` finds, as soon as it finds something; undefined at the deadline. */
  async #waitFor<T>(find: () => T | null, timeoutMs: number): Promise<T | undefined> {
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const found = find();
      if (found !== null) return found;
      if (performance.now() > untilMs) return undefined;
      await sleep(pollMs);
    }
  }

  #timeout(what: string, timeoutMs: number): LabError {
    const message = `Guest ${this.name} (domain ${this.domid}) ${what} within ${timeoutMs} ms.`;
    return new LabError(LabErrorCode.guestTimeout, message, { consoles: this.consoles() });
  }
}

/** Creates the guest; prints its domid and the terminal of its Xen console. Everything xl says goes to stderr. */
function createScript({ name, paused }: GuestOptions, archives: readonly string[]): string {
  const { config, initramfs, entry } = guestFiles(name);
  return `set -e
cat ${archives.join(' ')} > ${initramfs}
size=$(stat -c %s ${initramfs})
bytes=$(printf '\\\\x%02x' $((size & 255)) $((size >> 8 & 255)) $((size >> 16 & 255)) $((size >> 24)))
cp ${guestHome}/entry ${entry}
printf "$bytes" | dd of=${entry} bs=1 seek=${entrySizeOffset} conv=notrunc status=none
xl create ${paused ? '-p ' : ''}${config} >&2
domid=$(xl domid ${name})
for attempt in $(seq 100); do
  terminal=$(xenstore-read /local/domain/$domid/console/tty 2>/dev/null) && [ -n "$terminal" ] && break
  sleep 0.1
done
echo "$domid $terminal"`;
}
