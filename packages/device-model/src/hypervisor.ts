import type { Sbdf } from '@xenpt/pci';

/** Which message-signalled interrupt of which host function Xen shall program. */
export interface MessageRequest {
  readonly sbdf: Sbdf;
  /** Table entry for MSI-X; 0 for MSI. */
  readonly entry: number;
  /** Host address of the BAR that holds the MSI-X table (not of the table); 0 for MSI. */
  readonly tableBase: bigint;
  /** The pirq the guest asked for, or -1 to let Xen choose. */
  readonly pirq: number;
  /** Vectors of MSI, a power of two up to 32; 1 for MSI-X. More than 1 only with `pirq` -1. */
  readonly vectorCount: number;
}

/**
 * What the model needs of the hypervisor, for one domain and one ioreq server.
 * Each method throws when the call is refused and then has changed nothing.
 * Frames are 4 KiB; ranges given as start and end include the end.
 */
export interface Hypervisor {
  /** The ioreq server takes configuration accesses to guest 0000:00:dd.f (devfn = device << 3 | function). */
  claimFunction(guestDevfn: number): void;
  releaseFunction(guestDevfn: number): void;
  /** The ioreq server takes memory accesses that lie wholly in start..end. */
  claimMemory(start: bigint, end: bigint): void;
  releaseMemory(start: bigint, end: bigint): void;
  /** The ioreq server takes port accesses in start..end. */
  claimPorts(start: number, end: number): void;
  releasePorts(start: number, end: number): void;

  /** The guest reaches `count` machine frames from `mfn` on at `gfn`. */
  mapMemory(gfn: bigint, mfn: bigint, count: bigint): void;
  unmapMemory(gfn: bigint, mfn: bigint, count: bigint): void;
  /** The guest reaches `count` machine ports from `machine` on at `guest`. */
  mapPorts(guest: number, machine: number, count: number): void;
  unmapPorts(guest: number, machine: number, count: number): void;

  /** Gives the domain a pirq for a host interrupt line; returns it. */
  mapGsi(gsi: number): number;
  /** Gives the domain a pirq for a message, or as many neighbouring ones as there are vectors; returns the first. */
  mapMsi(request: MessageRequest): number;
  /** Of several vectors: with the first one's pirq, and all of them go. */
  unmapPirq(pirq: number): void;
  /** The line interrupt is raised at guest bus 0, `guestDevice`, pin `intx` (0 = INTA). */
  bindIntx(pirq: number, guestDevice: number, intx: number): void;
  unbindIntx(pirq: number, guestDevice: number, intx: number): void;
  /** The message interrupt is raised as vector `gvec`; a second bind of a bound pirq replaces the first. */
  bindMsi(pirq: number, gvec: number, gflags: number, gtable: bigint): void;
  unbindMsi(pirq: number, gvec: number, gflags: number): void;
}

export type CallName = keyof Hypervisor;

export const hypervisorCalls = [
  'claimFunction',
  'releaseFunction',
  'claimMemory',
  'releaseMemory',
  'claimPorts',
  'releasePorts',
  'mapMemory',
  'unmapMemory',
  'mapPorts',
  'unmapPorts',
  'mapGsi',
  'mapMsi',
  'unmapPirq',
  'bindIntx',
  'unbindIntx',
  'bindMsi',
  'unbindMsi',
] as const satisfies readonly CallName[];
