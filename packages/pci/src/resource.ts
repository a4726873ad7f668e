import type { Sbdf } from './sbdf.js';

/** An address range the host gave to a function. */
export interface Resource {
  /** 0–5 the BAR, 6 the expansion ROM. */
  readonly index: number;
  readonly kind: 'memory' | 'io' | 'rom';
  /** Bus address as the host sees it. */
  readonly start: bigint;
  readonly sizeBytes: bigint;
  readonly prefetchable: boolean;
  readonly is64Bit: boolean;
}

/** Everything of a function that is looked at before a guest runs; latched, never read again. */
export interface FunctionImage {
  readonly sbdf: Sbdf;
  /** 64, 256 or 4096 bytes. */
  readonly config: Uint8Array;
  readonly resources: readonly Resource[];
  /** The host's line interrupt; 0 = none. */
  readonly irq: number;
  /** As the host knows it: a virtual function answers 0xffff itself. */
  readonly vendorId: number;
  readonly deviceId: number;
}
