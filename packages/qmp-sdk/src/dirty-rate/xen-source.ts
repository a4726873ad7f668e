import type { BitmapSource } from './source.js';

/** Pages of Xen's map are always of this size (XC_PAGE_SIZE). */
const XEN_PAGE_BYTES = 4096;

/** Xen's log of dirty pages of one guest; `DirtyLog` of `@xenpt/qmp-sdk/xen` is one. */
export interface XenDirtyLog {
  readonly domid: number;
  readonly domainName: string;
  /** Highest guest frame plus one, as of now. */
  readonly pageCount: number;
  /** Reads and clears: the pages dirtied since the last call. */
  clean(into: Uint8Array): { readonly pageCount: number };
  close(): Promise<void>;
}

/** What Xen knows about a domain; `totPages` (4 KiB pages that it has) is there with the real hypervisor. */
export interface XenDomainFacts {
  readonly domid: number;
  readonly totPages?: bigint;
}

/** Xen's log as a source. Closing it switches the log off. */
export function createXenSource(log: XenDirtyLog, domain?: XenDomainFacts | null): BitmapSource {
  return {
    kind: 'bitmap',
    pace: 'live',
    description: `domain ${log.domid} (${log.domainName})`,
    pageSizeBytes: XEN_PAGE_BYTES,
    memoryPages: domain?.totPages === undefined ? null : Number(domain.totPages),
    get pageCount() {
      return log.pageCount;
    },
    collect: (into, signal) =>
      Promise.resolve().then(() => {
        signal?.throwIfAborted();
        return { pageCount: log.clean(into).pageCount };
      }),
    close: () => log.close(),
  };
}
