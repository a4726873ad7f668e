import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError, LabErrorCode } from '../errors.js';
import { run } from '../host/run.js';
import { ensureDirectory } from '../image/cache.js';
import { Monitor } from './monitor.js';
import { qemuArguments, runFiles, type MachineOptions, type SavedState } from './qemu-arguments.js';

/** Writing 4 GiB of mostly empty memory takes two seconds; a slow disk may take many times that. */
const saveTimeoutMs = 120_000;
const pollMs = 50;

/**
 * Where the state of such a machine is kept after its boot, whether or not it is there yet: beside its image, under a
 * hash of all that QEMU makes the machine of.
 */
export async function locateState(options: MachineOptions & { image: { directory: string } }): Promise<SavedState> {
  const version = await run(options.emulator, ['--version'], { timeoutMs: 30_000 });
  const arguments_ = qemuArguments({ ...options, runDirectory: '/', devices: options.devices.map(withoutHostPaths) });
  const key = createHash('sha256')
    .update(JSON.stringify([version, processorClock(readFileSync('/proc/cpuinfo', 'utf8')), arguments_]))
    .digest('hex')
    .slice(0, 16);
  const directory = `${options.image.directory}.state-${key}`;
  return {
    directory,
    memory: join(directory, 'memory'),
    disk: join(directory, 'disk.qcow2'),
    serialLog: join(directory, 'serial.log'),
  };
}

export const isSaved = (state: SavedState): boolean => existsSync(state.directory);

export function discardState(state: SavedState): void {
  rmSync(state.directory, { recursive: true, force: true });
}

/**
 * Saves a running machine's memory, devices and disk, and lets it run on. Throws LabError when QEMU cannot save one of
 * its devices (NVMe, for one); the machine runs on then, too. `LAB_MACHINE_ENDED`: it does not.
 */
export async function saveState(state: SavedState, runDirectory: string, signal?: AbortSignal): Promise<void> {
  const files = runFiles(runDirectory);
  await ensureDirectory(
    state.directory,
    async (aside) => {
      const monitor = await Monitor.open(files.monitorSocket);
      try {
        await migrate(monitor, join(aside, basename(state.memory)));
        // QEMU has let go of the disk and is not running, so these files hold still.
        copyFileSync(files.disk, join(aside, basename(state.disk)));
        copyFileSync(files.serialLog, join(aside, basename(state.serialLog)));
      } finally {
        await goOn(monitor);
      }
    },
    signal,
  );
  removeStatesOfOtherImages(state);
}

async function goOn(monitor: Monitor): Promise<void> {
  try {
    await monitor.execute('cont');
  } catch (cause) {
    throw new LabError(LabErrorCode.machineEnded, 'QEMU did not go on after saving the machine.', { cause });
  } finally {
    monitor.close();
  }
}

async function migrate(monitor: Monitor, path: string): Promise<void> {
  // The default is made for networks: 128 MiB/s at most.
  await monitor.execute('migrate-set-parameters', { 'max-bandwidth': 4 * 2 ** 30 });
  await monitor.execute('migrate', { uri: `exec:exec cat > '${path.replaceAll("'", `'\\''`)}'` });
  const untilMs = performance.now() + saveTimeoutMs;
  for (;;) {
    const { status, 'error-desc': reason } = await monitor.execute('query-migrate');
    if (status === 'completed') return;
    if (status === 'failed' || status === 'cancelled') {
      throw new LabError(LabErrorCode.hostCommandFailed, `QEMU could not save the machine: ${String(reason)}.`);
    }
    if (performance.now() > untilMs) {
      await monitor.execute('migrate_cancel');
      throw new LabError(LabErrorCode.hostCommandFailed, `Saving the machine took over ${saveTimeoutMs} ms.`);
    }
    await sleep(pollMs);
  }
}

/** A state holds a few hundred megabytes, and belongs to an image that the next builder's change makes useless. */
function removeStatesOfOtherImages({ directory }: SavedState): void {
  const image = basename(directory).replace(/\.state-.*$/, '');
  const profile = image.replace(/-[^-]*$/, '');
  for (const name of readdirSync(dirname(directory))) {
    if (!/\.state-[0-9a-f]+$/.test(name) || !name.startsWith(`${profile}-`) || name.startsWith(`${image}.`)) continue;
    rmSync(join(dirname(directory), name), { recursive: true, force: true });
  }
}

/** What a folder on the host holds is not part of the machine. */
function withoutHostPaths(device: MachineOptions['devices'][number]) {
  return 'network' in device ? { ...device, network: {} } : device;
}

/**
 * The guest's time stamp counter is the host's, and Xen has measured its frequency at boot: a state is of use only
 * where it ticks as fast. Linux measures it anew at each start, hence the rounding (BogoMIPS: twice the megahertz).
 */
export function processorClock(cpuinfo: string): string {
  const model = /^model name\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  const bogomips = Number(/^bogomips\s*:\s*([\d.]+)$/m.exec(cpuinfo)?.[1] ?? 0);
  return `${model} ${bogomips.toPrecision(3)}`;
}
