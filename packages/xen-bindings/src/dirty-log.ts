import { requireDomid, requireInteger } from './arguments.js';
import { openNative } from './availability.js';
import { calling } from './errors.js';
import type { NativeDirtyLogControl } from './native-types.js';

/** XEN_DOMCTL_SHADOW_OP_* of xen/include/public/domctl.h. */
const ShadowOperation = { off: 0, enableLogDirty: 2, clean: 11, peek: 12 } as const;
/** XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL */
const LOGDIRTY_FINAL = 1;

/** 2^40 pages of 4 KiB: x86 has 52 bits of physical address. */
export const PAGE_COUNT_MAX = 2 ** 40;
const BITS_PER_WORD = 64;
const BYTES_PER_WORD = 8;

/** What Xen says beside the map. */
export interface DirtyLogStats {
  /** Pages that the map tells about; fewer than asked for only when Xen's own table ends before. */
  readonly pageCount: number;
  /** Faults of guest writes, since the last clean. */
  readonly faultCount: number;
  /** Pages that became dirty, since the last clean. */
  readonly dirtyCount: number;
}

export interface DirtyLogCleanOptions {
  /** The last clean of a paused domain: frames that the hypervisor itself keeps mapped for writing count as dirty. */
  readonly final?: boolean;
}

/** Bytes of a map of `pageCount` pages: 1 bit each, in whole 64-bit words. */
export function dirtyMapSizeBytes(pageCount: number): number {
  return Math.ceil(pageCount / BITS_PER_WORD) * BYTES_PER_WORD;
}

/**
 * Dirty logging: libxenctrl's xc_shadow_control and xc_logdirty_control, the same from 4.17 to 4.20. A handle of its
 * own, and memory for the map that is kept from call to call; one user at a time.
 *
 * The map has 1 bit for each page of 4 KiB: bit n is guest frame n, lowest bit of the lowest byte first. It spans all
 * guest frames, so also the hole below 4 GiB.
 *
 * Every method throws XenCallError when Xen refuses, RangeError for a value that its C type cannot hold, and XenError
 * `XEN_CLOSED` after close(). Of a domain that is being destroyed Xen reports success and does nothing (paging_domctl):
 * look at `Control.domainInfo()` after a call.
 */
export class DirtyLogControl {
  readonly #native: NativeDirtyLogControl;

  private constructor(native: NativeDirtyLogControl) {
    this.#native = native;
  }

  /** @throws XenUnavailableError */
  static open(): DirtyLogControl {
    return new DirtyLogControl(openNative(['xenctrl'], (addon) => new addon.DirtyLogControl()));
  }

  /** Write-protects the domain's pages. EINVAL: it is on already, or the domain has a PCI device. */
  enable(domid: number): void {
    requireDomid(domid);
    calling(() => this.#native.xc_shadow_control(domid, ShadowOperation.enableLogDirty));
  }

  /** Switches it off, whoever has switched it on. Off already is fine. */
  disable(domid: number): void {
    requireDomid(domid);
    calling(() => this.#native.xc_shadow_control(domid, ShadowOperation.off));
  }

  /** Highest guest frame + 1: the pages that a map has to tell about. It may grow while the domain runs. */
  pageCount(domid: number): number {
    requireDomid(domid);
    return Number(calling(() => this.#native.xc_domain_nr_gpfns(domid)));
  }

  /**
   * Reads the map of the first `pageCount` frames into `into`, which has at least {@link dirtyMapSizeBytes} bytes;
   * those are written whole, the bits after the last page as 0. It may be a view on WebAssembly memory, shared or not.
   */
  peek(domid: number, pageCount: number, into: Uint8Array): DirtyLogStats {
    return this.#read(domid, ShadowOperation.peek, pageCount, 0, into);
  }

  /** The same, and clears the map and the counters. Only while it is on: Xen does not check, and write-protects. */
  clean(domid: number, pageCount: number, into: Uint8Array, options: DirtyLogCleanOptions = {}): DirtyLogStats {
    const mode = options.final === true ? LOGDIRTY_FINAL : 0;
    return this.#read(domid, ShadowOperation.clean, pageCount, mode, into);
  }

  /** Frees the map. Does not switch anything off. */
  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #read(domid: number, operation: number, pageCount: number, mode: number, into: Uint8Array): DirtyLogStats {
    requireDomid(domid);
    requireInteger('pageCount', pageCount, 1, PAGE_COUNT_MAX);
    const needed = dirtyMapSizeBytes(pageCount);
    if (!(into instanceof Uint8Array)) throw new TypeError('into must be a Uint8Array');
    if (into.byteLength < needed) {
      throw new RangeError(`into has ${into.byteLength} bytes; a map of ${pageCount} pages needs ${needed}`);
    }
    const [known, faultCount, dirtyCount] = calling(() =>
      this.#native.xc_logdirty_control(domid, operation, BigInt(pageCount), mode, into),
    );
    return { pageCount: known, faultCount, dirtyCount };
  }
}
