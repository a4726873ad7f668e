import type { Sbdf } from '@xenpt/pci';
import type { ModelClient } from './model-client.js';
import type { ModelProgram } from './model-unit.js';
import type { Services } from './services.js';

/** The pseudo domain that owns quarantined devices: DMA goes nowhere (xen/include/public/xen.h, DOMID_IO). */
export const DOMID_IO = 0x7ff1;
/** XEN_DOMCTL_DEV_RDM_RELAXED: tolerate reserved memory regions that the guest's memory map does not respect. */
export const RDM_RELAXED = 1;

export interface DomainInfo {
  readonly domid: number;
  readonly flags: {
    readonly dying: boolean;
    readonly hvm: boolean;
    readonly shutdown: boolean;
    readonly paused: boolean;
  };
  /** SHUTDOWN_* of xen/include/public/sched.h, meaningful when `flags.shutdown`. */
  readonly shutdownCode: number;
  readonly maxVcpuId: number;
  /** UUID in text. A domid is used again; a handle is not. */
  readonly handle: string;
}

/**
 * The calls of libxenctrl that the operations need; `Control` of `@xenpt/xen-bindings` has them all. Errors carry
 * `errnoName`. Frame numbers and counts are of 4 KiB pages. `sbdf`: segment << 16 | bus << 8 | device << 3 | function.
 */
export interface Toolstack {
  domainInfo(domid: number): DomainInfo | null;
  domainList(): readonly DomainInfo[];
  physInfo(): { readonly hvmDirectIo: boolean };
  /** What Xen was booted with. */
  xenVersion(): { readonly commandLine: string };
  /** Counted: whoever has paused a domain unpauses it once. */
  pause(domid: number): void;
  unpause(domid: number): void;
  testAssignDevice(domid: number, sbdf: number): void;
  assignDevice(domid: number, sbdf: number, flags: number): void;
  deassignDevice(domid: number, sbdf: number): void;
  iomemPermission(domid: number, mfn: bigint, count: bigint, allow: boolean): void;
  ioportPermission(domid: number, first: number, count: number, allow: boolean): void;
}

export interface StorePermission {
  /** The first entry of a list names the owner and what everybody else may do. */
  readonly domid: number;
  readonly read: boolean;
  readonly write: boolean;
}

/** One view of xenstore: outside or inside a transaction. */
export interface StoreView {
  read(path: string): string | null;
  write(path: string, value: string): void;
  mkdir(path: string): void;
  /** Removes a node and all below it; no error if there is none. */
  remove(path: string): void;
  list(path: string): readonly string[] | null;
  setPermissions(path: string, permissions: readonly StorePermission[]): void;
}

export interface Store extends StoreView {
  /** Runs `work` until it commits without a conflict (bounded); what `work` throws aborts it. */
  transaction<T>(work: (view: StoreView) => T): T;
  watch(path: string, token: string, callback: () => void): { close(): void };
}

/** What is written to the kernel; reading goes through `root` with `@xenpt/pci/sysfs`. */
export interface Sysfs {
  /** Prefix of every path: '' on a running host, a folder for a captured or invented tree. */
  readonly root: string;
  /** One write of `text` to a control file such as `/sys/bus/pci/drivers/pciback/bind` (without `root`). */
  write(path: string, text: string): void;
  /** Function level reset or what the kernel has instead. */
  reset(sbdf: Sbdf): void;
  /** A copy of the function's expansion ROM. Throws SysfsError SYSFS_ROM_ABSENT. */
  readRom(sbdf: Sbdf): Uint8Array;
  /** Clears Bus Master Enable, so that the function starts no further DMA. */
  disableBusMaster(sbdf: Sbdf): void;
  /** Writes 32 bits of configuration space. */
  writeConfig(sbdf: Sbdf, offset: number, value: number): void;
}

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  sleep(durationMs: number): Promise<void>;
}

/** Who runs the operation, for lock files. */
export interface ProcessTable {
  readonly pid: number;
  isAlive(pid: number): boolean;
}

/** What a look at the dirty log says beside the map. */
export interface DirtyLogStats {
  /** Pages that the map tells about. */
  readonly pageCount: number;
  /** Faults of guest writes, and pages that became dirty, since the last clean. */
  readonly faultCount: number;
  readonly dirtyCount: number;
}

/** Xen's dirty logging; `DirtyLogControl` of `@xenpt/xen-bindings` has it. Errors carry `errnoName`. */
export interface DirtyLogCalls {
  enable(domid: number): void;
  /** Whoever has switched it on; off already is fine. */
  disable(domid: number): void;
  /** Highest guest frame + 1. */
  pageCount(domid: number): number;
  peek(domid: number, pageCount: number, into: Uint8Array): DirtyLogStats;
  /** Only while it is on: Xen does not check. */
  clean(domid: number, pageCount: number, into: Uint8Array): DirtyLogStats;
  close(): void;
}

/**
 * What Xen alone knows of the host; made of `Control` and `HostControl` of `@xenpt/xen-bindings`. `sbdf`: segment
 * << 16 | bus << 8 | device << 3 | function. Errors carry `errnoName`.
 */
export interface HypervisorFacts {
  /** `4.17.6` */
  version(): string;
  commandLine(): string;
  /** Whether HVM guests can have devices. */
  directIo(): boolean;
  /** The other functions of the domain in the device's IOMMU group, by sbdf. */
  deviceGroup(domid: number, sbdf: number): readonly number[];
  /** Frames of 4 KiB that the firmware keeps for the device. */
  reservedMemory(sbdf: number): readonly { readonly startFrame: bigint; readonly frameCount: bigint }[];
  close(): void;
}

export interface RunningProcess {
  readonly pid: number;
  /** Its command line, word by word; as the process itself may have changed it. */
  readonly words: readonly string[];
}

/** The processes of this host, for finding a migration, and the owner of a record. */
export interface ProcessList {
  /**
   * When a living process was started, as the kernel writes it; null if there is none. A process id is used again; the
   * two together are not.
   */
  startedAt(pid: number): string | null;
  /** Its state of proc_pid_stat(5), such as `S`, `T` or `D`; null if there is none, or only what is left of one. */
  state(pid: number): string | null;
  /** Its process group; null if there is none. */
  group(pid: number): number | null;
  /** Every process that has a command line. */
  running(): Iterable<RunningProcess>;
}

/** Where libxl puts what belongs to a guest's QEMU monitors. */
export interface MonitorPaths {
  /** The monitor that `xl` uses for each of its operations. */
  control(domid: number): string;
  /** A second one, which `xentop` uses. */
  statistics(domid: number): string;
  /** Whoever has a lock on this file (flock(2)) may connect to the first. */
  lock(domid: number, handle: string): string;
}

/** Where libxl keeps the configuration of a domain, from which `xl` builds it again when it restarts. */
export interface LibxlConfigPaths {
  file(domid: number, handle: string): string;
  /** Whoever has a lock on this file (flock(2)) may change the other. */
  lock(domid: number, handle: string): string;
}

/**
 * A host, as the operations see it. `openXenHost()` makes the real one; `createFakeHost()` of
 * `@xenpt/qmp-sdk/xen/testing` one for tests.
 */
export interface XenHost {
  /** Opened at first use. Throws XENPT_NO_XEN. */
  readonly toolstack: Toolstack;
  /** Opened at first use. Throws XENPT_NO_XEN. */
  readonly store: Store;
  readonly sysfs: Sysfs;
  /** Locks, sockets and grants, `/run/xenpt`: gone after a reboot, like what it describes. */
  readonly runDir: string;
  /** What outlives a restart, `/var/lib/xenpt`: the journal. */
  readonly stateDir: string;
  /** The kernel's random id of this boot. */
  readonly bootId: string;
  /** Milliseconds since 1970; for what people read. */
  readonly wallClock: () => number;
  /** For tests that end a process between two steps; never set otherwise. */
  readonly faultPoint?: (point: string) => void | Promise<void>;
  readonly clock: Clock;
  readonly processes: ProcessTable;
  readonly processList: ProcessList;
  readonly isRoot: boolean;
  readonly monitors: MonitorPaths;
  readonly libxlConfig: LibxlConfigPaths;
  /** Null on a host without systemd. */
  readonly services: Services | null;
  /** What a device model process runs, and where it keeps what. */
  readonly modelProgram: ModelProgram;
  /** A handle of its own for one measurement. Throws XENPT_NO_XEN. */
  openDirtyLogCalls(): DirtyLogCalls;
  /** A handle of its own for one look. Throws XENPT_NO_XEN. */
  openHypervisorFacts(): HypervisorFacts;
  /**
   * Connects to the device model of a guest; null if it has none. One that was killed goes on before this returns. One
   * that serves another domain, which had the same id, is an error.
   */
  connectModel(domid: number, handle: string): Promise<ModelClient | null>;
  /** Starts the device model of a guest and waits until it answers. */
  startModel(domid: number, handle: string): Promise<ModelClient>;
  /**
   * Has a new process go on for the device model that runs; `pauseMs` is how long nobody served the guest. Throws
   * XENPT_UPGRADE_REFUSED when the new one cannot: the old one goes on then.
   */
  replaceModel(domid: number, handle: string): Promise<{ readonly model: ModelClient; readonly pauseMs: number }>;
  close(): void;
}
