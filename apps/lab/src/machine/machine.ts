import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, copyFileSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError, LabErrorCode, lastLines, type ConsoleTail } from '../errors.js';
import { run } from '../host/run.js';
import { Monitor } from './monitor.js';
import { diskLayerArguments, qemuArguments, runFiles, type MachineOptions } from './qemu-arguments.js';

/** How long QEMU may take to leave when it is asked to by its signal. */
const quitMs = 5000;

/** Of a Q35 machine's ACPI hot-plug (QEMU, docs/specs/acpi_pci_hotplug); each has 32 bits. */
const hotPlugPorts = { eject: 0xcc8, bus: 0xcd0 };

/**
 * One QEMU process. It ends with {@link end}, or with the process that started it, however that ends: `setpriv` sets
 * the kernel's parent-death signal (prctl(2), PR_SET_PDEATHSIG), which needs nobody to be left to send it.
 */
export class Machine {
  readonly #child: ChildProcess;
  readonly #files: ReturnType<typeof runFiles>;
  readonly #ended: Promise<string>;
  #outcome: string | undefined;
  #intended = false;

  private constructor(options: MachineOptions) {
    this.#files = runFiles(options.runDirectory);
    const log = openSync(this.#files.qemuLog, 'w');
    const args = ['--pdeathsig', 'KILL', '--', options.emulator, ...qemuArguments(options)];
    this.#child = spawn('setpriv', args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#ended = new Promise((resolve) => {
      const settle = (outcome: string) => {
        this.#outcome ??= outcome;
        resolve(outcome);
      };
      this.#child.on('error', (cause) => settle(`could not be started: ${cause.message}`));
      this.#child.on('exit', (exitCode, signal) => settle(signal ? `by ${signal}` : `with exit code ${exitCode}`));
    });
  }

  /** Makes the machine's disk and switches it on. */
  static async start(options: MachineOptions): Promise<Machine> {
    await run('qemu-img', diskLayerArguments(options));
    const { serialLog } = runFiles(options.runDirectory);
    // QEMU appends to it; an attempt to resume may have left one.
    rmSync(serialLog, { force: true });
    if (options.resume) copyFileSync(options.resume.serialLog, serialLog);
    return new Machine(options);
  }

  /** The process id of QEMU. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#outcome !== undefined;
  }

  /** Resolves when QEMU ends, with how. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  /** The last lines of what Xen and dom0 printed, and of QEMU's own messages. */
  consoles(): ConsoleTail[] {
    return [
      { name: 'Xen and dom0', text: lastLines(this.serialText()) },
      { name: 'QEMU', text: lastLines(readText(this.#files.qemuLog)) },
    ];
  }

  /** All that Xen and dom0 printed on the serial port. */
  serialText(): string {
    return readText(this.#files.serialLog);
  }

  /** Connects to the agent's port; QEMU makes the socket when it starts. */
  connectAgent(deadlineMs: number): Promise<Socket> {
    return this.#connect(this.#files.agentSocket, deadlineMs);
  }

  /** Connects to the terminal (/dev/hvc1 in dom0). */
  connectTerminal(deadlineMs: number): Promise<Socket> {
    return this.#connect(this.#files.terminalSocket, deadlineMs);
  }

  /** From now on a restart of the host is one; until then it ends the machine. */
  allowRestart(): Promise<void> {
    return this.#ask(async (monitor) => void (await monitor.execute('set-action', { reboot: 'reset' })));
  }

  /**
   * Takes a device out of its root port, of which nobody in the machine is told: what an operating system writes last
   * when it ejects a device is written in its place.
   *
   * @param bus as of `hotPlugBus`
   */
  pullOut(id: string, bus: number): Promise<void> {
    return this.#ask(async (monitor) => {
      const write = (port: number, value: number) =>
        monitor.execute('human-monitor-command', { 'command-line': `o /w ${port} ${value}` });
      await write(hotPlugPorts.bus, bus);
      await write(hotPlugPorts.eject, 1);
      const left = await monitor.execute('qom-list', { path: '/machine/peripheral' });
      if (!Object.values(left).some((one) => (one as { name?: string }).name === id)) return;
      throw new LabError(LabErrorCode.unknown, `"${id}" is still in the machine.`);
    });
  }

  async #ask(action: (monitor: Monitor) => Promise<void>): Promise<void> {
    const monitor = await Monitor.open(this.#files.monitorSocket);
    try {
      await action(monitor);
    } finally {
      monitor.close();
    }
  }

  /** The error for QEMU having ended when it should not have. */
  endedError(): LabError {
    const intended = this.#intended
      ? 'The lab was closed.'
      : `QEMU ended ${this.#outcome ?? ''} while it was needed.`;
    const code = this.#intended ? LabErrorCode.closed : LabErrorCode.machineEnded;
    return new LabError(code, intended, { consoles: this.#intended ? [] : this.consoles() });
  }

  /** Ends this QEMU, and no other. Twice is fine. */
  async end(): Promise<void> {
    this.#intended = true;
    if (this.hasEnded) return;
    this.#child.kill('SIGTERM');
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), quitMs);
    await this.#ended;
    clearTimeout(kill);
  }

  async #connect(path: string, deadlineMs: number): Promise<Socket> {
    const untilMs = performance.now() + deadlineMs;
    for (;;) {
      const socket = await tryConnect(path);
      if (socket) return socket;
      if (this.hasEnded) throw this.endedError();
      if (performance.now() > untilMs) {
        const message = `QEMU did not open ${path} within ${deadlineMs} ms.`;
        throw new LabError(LabErrorCode.bootTimeout, message, { consoles: this.consoles() });
      }
      await sleep(25);
    }
  }
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
