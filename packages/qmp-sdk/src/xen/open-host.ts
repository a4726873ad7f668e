import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { execPath, geteuid, pid } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Control, DirtyLogControl, HostControl, Xenstore } from '@xenpt/xen-bindings';
import { describeError, nextStepOf, XenErrorCode, XenOperationError } from './errors.js';
import type {
  Clock,
  HypervisorFacts,
  LibxlConfigPaths,
  MonitorPaths,
  ProcessTable,
  Store,
  Toolstack,
  XenHost,
} from './host.js';
import { CACHE_DIR } from './compile-cache.js';
import { openCapturedTree } from './captured-tree.js';
import { LastingModel } from './lasting-model.js';
import { createProcessList } from './real-processes.js';
import { createSysfs } from './real-sysfs.js';
import { replaceModel, type ReplaceModelOptions } from './replace-model.js';
import { ModelService } from './service-model.js';
import { openServices } from './services.js';
import { connectToModel, spawnModel } from './spawn-model.js';

const RUN_DIR = '/run/xenpt';
const LOG_DIR = '/var/log/xenpt';
const STATE_DIR = '/var/lib/xenpt';
/** A test sets it in the process that it means to end; nothing else does. */
const FAULT_POINT = Symbol.for('xenpt.faultPoint');

export interface OpenXenHostOptions {
  /**
   * Folder of a captured tree, or an archive of `createBundle`, instead of the running kernel's. There is no Xen in a
   * tree: only the inventory works then.
   */
  readonly sysroot?: string;
  readonly runDir?: string;
  readonly logDir?: string;
  readonly stateDir?: string;
  /** The Node that runs the device model processes; default: the one that runs this. */
  readonly nodePath?: string;
}

export const realClock: Clock = {
  now: () => performance.now(),
  sleep: (durationMs) => sleep(durationMs),
};

const processList = createProcessList();

/** Who was killed and is not waited for yet does nothing any more. */
export const realProcesses: ProcessTable = { pid, isAlive: (other) => processList.state(other) !== null };

/** libxl's XEN_RUN_DIR, and its userdata files (tools/libs/light/libxl_qmp.c, libxl_dom.c). */
export const realMonitors: MonitorPaths = {
  control: (domid) => `/run/xen/qmp-libxl-${domid}`,
  statistics: (domid) => `/run/xen/qmp-libxenstat-${domid}`,
  lock: (domid, handle) => `/var/lib/xen/userdata-l.${domid}.${handle}.qmp-socket-lock`,
};

/** libxl's userdata files (tools/libs/light/libxl_dom.c, libxl_internal.c). */
export const realLibxlConfig: LibxlConfigPaths = {
  file: (domid, handle) => `/var/lib/xen/userdata-d.${domid}.${handle}.libxl-json`,
  lock: (domid, handle) => `/var/lib/xen/userdata-l.${domid}.${handle}.domain-userdata-lock`,
};

/**
 * The host this runs on. Nothing is opened yet: the libraries of Xen are opened by the first operation that needs
 * them, so that an inventory works on plain Linux.
 */
export function openXenHost(options: OpenXenHostOptions = {}): XenHost {
  const { sysroot = '', runDir = RUN_DIR, logDir = LOG_DIR, nodePath = execPath } = options;
  const { stateDir = STATE_DIR } = options;
  const captured = sysroot !== '' && sysroot !== '/';
  const tree = captured ? openCapturedTree(sysroot) : undefined;
  const toolstack = lazily(() => openToolstack(captured));
  const store = lazily(() => openStore(captured));
  const clock = realClock;
  const services = captured ? null : openServices();
  const modelProgram = () => ({ nodePath, mainPath: modelMainPath(), runDir, logDir });
  const units = services === null ? undefined : new ModelService(services);
  const modelOptions = (domid: number, handle: string): ReplaceModelOptions => {
    const service = units?.isInstalled === true ? units : undefined;
    return { domid, handle, ...modelProgram(), cacheDir: CACHE_DIR, sysroot: '', clock, processList, service };
  };
  return {
    get toolstack() {
      return toolstack.value;
    },
    get store() {
      return store.value;
    },
    sysfs: createSysfs(tree?.root ?? ''),
    // What runs on this host says nothing about a captured one.
    runDir: tree ? join(tree.root, runDir) : runDir,
    stateDir,
    get bootId() {
      return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    },
    wallClock: Date.now,
    ...faultPoint(),
    clock,
    processes: realProcesses,
    processList,
    isRoot: geteuid?.() === 0,
    monitors: realMonitors,
    libxlConfig: realLibxlConfig,
    services,
    get modelProgram() {
      return modelProgram();
    },
    openDirtyLogCalls: () => orNoXen(captured, () => DirtyLogControl.open()),
    openHypervisorFacts: () => orNoXen(captured, openHypervisorFacts),
    connectModel: async (domid, handle) => {
      const options = modelOptions(domid, handle);
      const model = await connectToModel(options);
      return model && new LastingModel(model, () => connectToModel(options));
    },
    startModel: async (domid, handle) => {
      const options = modelOptions(domid, handle);
      return new LastingModel(await spawnModel(options), () => connectToModel(options));
    },
    replaceModel: async (domid, handle) => {
      const options = modelOptions(domid, handle);
      const { model, pauseMs } = await replaceModel(options);
      return { model: new LastingModel(model, () => connectToModel(options)), pauseMs };
    },
    close: () => {
      tree?.close();
      toolstack.close();
      store.close();
    },
  };
}

function faultPoint(): Pick<XenHost, 'faultPoint'> {
  const hook = (globalThis as { readonly [FAULT_POINT]?: XenHost['faultPoint'] })[FAULT_POINT];
  return hook === undefined ? {} : { faultPoint: hook };
}

/** @throws XenOperationError XENPT_NO_XEN */
export function openToolstack(captured = false): Toolstack & { close(): void } {
  return orNoXen(captured, () => Control.open());
}

/** @throws XenOperationError XENPT_NO_XEN */
export function openStore(captured = false): Store & { close(): void } {
  return orNoXen(captured, () => Xenstore.open());
}

function openHypervisorFacts(): HypervisorFacts {
  const control = Control.open();
  let host: HostControl;
  try {
    host = HostControl.open();
  } catch (error) {
    control.close();
    throw error;
  }
  return {
    version: () => {
      const { major, minor, extra } = control.xenVersion();
      return `${major}.${minor}${extra}`;
    },
    commandLine: () => host.commandLine(),
    directIo: () => control.physInfo().hvmDirectIo,
    deviceGroup: (domid, sbdf) => control.deviceGroup(domid, sbdf),
    reservedMemory: (sbdf) => host.reservedMemory(sbdf),
    close: () => {
      host.close();
      control.close();
    },
  };
}

function orNoXen<T>(captured: boolean, open: () => T): T {
  if (captured) throw noXen('a captured tree has no hypervisor');
  try {
    return open();
  } catch (error) {
    throw noXen(describeError(error), error);
  }
}

function noXen(reason: string, cause?: unknown): XenOperationError {
  return new XenOperationError(XenErrorCode.noXen, `Xen cannot be reached from here: ${reason}`, {
    cause,
    next: sentence(nextStepOf(cause) ?? 'run this as root in dom0 of a host that was booted with Xen'),
  });
}

/** The bindings say their next step as part of a sentence. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** By the package's own name, since a bundler may have moved this code away from its neighbours. */
function modelMainPath(): string {
  const manifest = createRequire(import.meta.url).resolve('@xenpt/qmp-sdk/package.json');
  return join(dirname(manifest), 'dist/xen/model-main.js');
}

function lazily<T extends { close(): void }>(open: () => T): { readonly value: T; close(): void } {
  let opened: T | undefined;
  return {
    get value() {
      return (opened ??= open());
    },
    close: () => {
      opened?.close();
      opened = undefined;
    },
  };
}
