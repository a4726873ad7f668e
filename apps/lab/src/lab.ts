import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentClient } from './agent/client.js';
import { exec, shortened, type ExecOptions, type ExecResult } from './agent/exec.js';
import { pullFile, pushFile, writeRemote } from './agent/files.js';
import { LabError, LabErrorCode, lastLines } from './errors.js';
import type { GuestOptions } from './guest/config.js';
import { Guest } from './guest/guest.js';
import { ensureImage, type Progress } from './image/build.js';
import { findEmulator } from './image/emulator.js';
import { defaultDevices, hotPlugBus, placeDevices, type LabDevice } from './machine/devices.js';
import type { Machine } from './machine/machine.js';
import { powerOn } from './power-on.js';
import { findProfile } from './profile.js';

export interface BootOptions {
  /** `xen-4.17` or `xen-4.20`. */
  readonly profile: string;
  /** Default: two e1000e network cards, `nic0` at 0000:01:00.0 and `nic1` at 0000:02:00.0. */
  readonly devices?: readonly LabDevice[];
  /** false: a machine without an IOMMU. */
  readonly iommu?: boolean;
  /** Processors of the machine and of dom0. Default: 2. */
  readonly processors?: 1 | 2;
  readonly xenArguments?: readonly string[];
  readonly kernelArguments?: readonly string[];
  /**
   * Boots even if the cache has the state of such a machine after its boot, and saves none. Default: false, which takes
   * two seconds instead of twenty from the second time on.
   */
  readonly fresh?: boolean;
  /** From power-on to the first command. Default: {@link defaultBootTimeoutMs}. */
  readonly bootTimeoutMs?: number;
  /** Default: the user's cache. */
  readonly cache?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** A boot takes 15 to 35 s; on a busy machine, several times that. */
export const defaultBootTimeoutMs = 400_000;

/** A running Xen host. Its disk is a throw-away copy: every lab starts from the same state. */
export class Lab {
  readonly profile: string;
  readonly #machine: Machine;
  readonly #agent: AgentClient;
  readonly #runDirectory: string;
  readonly #devices: ReadonlyMap<string, string>;
  readonly #machineDevices: readonly LabDevice[];
  #closed = false;

  private constructor(
    profile: string,
    machine: Machine,
    agent: AgentClient,
    runDirectory: string,
    devices: readonly LabDevice[],
  ) {
    this.profile = profile;
    this.#machine = machine;
    this.#agent = agent;
    this.#runDirectory = runDirectory;
    this.#machineDevices = devices;
    this.#devices = new Map(placeDevices(devices).map(({ device, sbdf }) => [device.id, sbdf]));
  }

  /**
   * Builds the profile's image if the cache has none, and boots it, or resumes the machine that was booted last time.
   * Throws LabError `LAB_BOOT_TIMEOUT`, `LAB_MACHINE_ENDED`, `LAB_CLOSED`, and what {@link ensureImage} throws.
   */
  static async boot(options: BootOptions): Promise<Lab> {
    const startedMs = performance.now();
    const progress = (step: string) => options.onProgress?.({ step, elapsedMs: performance.now() - startedMs });
    const profile = findProfile(options.profile);
    const devices = options.devices ?? defaultDevices;
    const { cache, signal, iommu, processors, xenArguments, kernelArguments } = options;
    const image = await ensureImage({
      profile,
      signal,
      onProgress: ({ step }) => progress(step),
      ...(cache === undefined ? {} : { cache }),
    });
    const emulator = await findEmulator(profile, {
      onProgress: ({ step }) => progress(step),
      ...(signal === undefined ? {} : { signal }),
      ...(cache === undefined ? {} : { cache }),
    });
    removeAbandoned();
    const runDirectory = mkdtempSync(join(tmpdir(), `${runPrefix}${process.pid}-`));
    try {
      const { machine, agent } = await powerOn({
        image,
        emulator,
        devices,
        runDirectory,
        timeoutMs: options.bootTimeoutMs ?? defaultBootTimeoutMs,
        fresh: options.fresh ?? false,
        signal,
        onStep: progress,
        ...(iommu === undefined ? {} : { iommu }),
        ...(processors === undefined ? {} : { processors }),
        ...(xenArguments === undefined ? {} : { xenArguments }),
        ...(kernelArguments === undefined ? {} : { kernelArguments }),
      });
      progress('dom0 is up');
      return new Lab(profile.name, machine, agent, runDirectory, devices);
    } catch (cause) {
      rmSync(runDirectory, { recursive: true, force: true });
      throw cause;
    }
  }

  /** Where a device is in dom0, as `0000:01:00.0`. Throws LabError `LAB_UNKNOWN`. */
  sbdf(deviceId: string): string {
    const sbdf = this.#devices.get(deviceId);
    if (sbdf !== undefined) return sbdf;
    const known = [...this.#devices.keys()].join(', ');
    throw new LabError(LabErrorCode.unknown, `This lab has no device "${deviceId}"; it has: ${known}.`);
  }

  /** Runs a bash command in dom0 as root, whatever its exit code. */
  exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    return exec(this.#agent, command, options, () => this.#machine.consoles());
  }

  /** Runs a command that has to succeed; resolves with its standard output. Throws LabError `LAB_EXEC_FAILED`. */
  async run(command: string, options: ExecOptions = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.exec(command, options);
    if (exitCode === 0) return stdout;
    const message = `"${shortened(command)}" failed in dom0 with exit code ${exitCode}.`;
    const consoles = [
      { name: 'standard output', text: lastLines(stdout) },
      { name: 'standard error', text: lastLines(stderr) },
      ...this.#machine.consoles(),
    ];
    throw new LabError(LabErrorCode.execFailed, message, { consoles });
  }

  /**
   * Restarts the host, disk and all: dom0's kernel has Xen reset the machine. Resolves when the new dom0 takes
   * commands.
   * Throws LabError `LAB_BOOT_TIMEOUT`.
   */
  async restart(timeoutMs = defaultBootTimeoutMs): Promise<void> {
    await this.#machine.allowRestart();
    const restarted = this.#agent.restarted();
    // Cut off by the restart that it begins.
    void this.exec('sync && echo b >/proc/sysrq-trigger').catch(() => undefined);
    const inTime = await Promise.race([restarted.then(() => true), sleep(timeoutMs, false, { ref: false })]);
    if (inTime) return;
    const message = `Dom0 was not up again ${timeoutMs} ms after its restart.`;
    throw new LabError(LabErrorCode.bootTimeout, message, { consoles: this.consoles() });
  }

  /** Takes a device on a root port out of the running machine; nobody is told. Throws LabError `LAB_UNKNOWN`. */
  async pullOut(deviceId: string): Promise<void> {
    const bus = hotPlugBus(this.#machineDevices, deviceId);
    if (bus === undefined) {
      throw new LabError(LabErrorCode.unknown, `"${deviceId}" is on no root port, and stays where it is.`);
    }
    await this.#machine.pullOut(deviceId, bus);
  }

  /** Copies a file into dom0. */
  push(localPath: string, remotePath: string): Promise<void> {
    return pushFile(this.#agent, localPath, remotePath);
  }

  /** Writes a file in dom0. */
  writeFile(remotePath: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    return writeRemote(this.#agent, remotePath, Buffer.from(content), mode);
  }

  /** Copies a file out of dom0. Resolves with its SHA-256. */
  pull(remotePath: string, localPath: string): Promise<string> {
    return pullFile(this.#agent, remotePath, localPath);
  }

  /** Installs packed npm packages as a user would, globally and without network. They may depend on each other. */
  async installTarballs(paths: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const directory = '/root/packages';
    await this.run(`mkdir -p ${directory}`);
    const remote = paths.map((path) => `${directory}/${basename(path)}`);
    for (const [index, path] of paths.entries()) await this.push(path, remote[index] ?? directory);
    const command = `npm install --global --offline --no-audit --no-fund ${remote.join(' ')}`;
    const result = await this.exec(command, { timeoutMs: 600_000, ...options });
    if (result.exitCode === 0) return result;
    const consoles = [{ name: 'npm', text: lastLines(`${result.stdout}\n${result.stderr}`) }];
    throw new LabError(LabErrorCode.execFailed, 'npm could not install the packages in dom0.', { consoles });
  }

  /** Creates a guest of busybox and Debian's kernel; it ends with the lab. */
  createGuest(options: GuestOptions): Promise<Guest> {
    return Guest.create(this, this.#agent, options);
  }

  /** Xen's messages (`xl dmesg`) as far as they came by the serial port, and dom0's. */
  serialText(): string {
    return this.#machine.serialText();
  }

  /** The last lines of the machine's consoles. */
  consoles() {
    return this.#machine.consoles();
  }

  /** A raw stream to dom0's second terminal, /dev/hvc1. */
  openTerminal() {
    return this.#machine.connectTerminal(10_000);
  }

  /** Pid of this lab's QEMU. */
  get pid(): number | undefined {
    return this.#machine.pid;
  }

  /** Resolves when the machine has ended, with how. */
  get ended(): Promise<string> {
    return this.#machine.ended;
  }

  /** Switches the machine off, which takes no time: there is nothing to save. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#agent.fail(new LabError(LabErrorCode.closed, 'The lab was closed.'));
    await this.#machine.end();
    rmSync(this.#runDirectory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const runPrefix = 'xenpt-lab-';

/** Removes the run folders of processes that died without doing so. Their QEMU died with them. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${runPrefix}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined) continue;
    try {
      process.kill(Number(owner), 0);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') continue;
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}
