import type { DirtyLogCalls, DirtyLogStats } from '../host.js';
import type { FakeToolstack } from './fake-toolstack.js';
import { FakeCallError, type Journal } from './journal.js';

const DEFAULT_PAGE_COUNT = 65_600;

interface Log {
  readonly frames: Set<number>;
  faults: number;
}

/**
 * Xen's dirty logging, with the answers of xen/arch/x86/mm/paging.c. Stricter than Xen where Xen would do harm: a clean
 * of a domain whose logging is off is an error of the test.
 */
export class FakeDirtyLogs {
  /** Highest guest frame + 1 of a domain; 65,600 where nothing is set, which does not fill its last word. */
  readonly pageCounts = new Map<number, number>();
  /** True: built without shadow paging, as Debian's Xen is, so without logging for PV guests. */
  withoutShadowPaging = false;
  /** Handles that are open now. */
  openCount = 0;
  readonly #logs = new Map<number, Log>();
  readonly #journal: Journal;
  readonly #toolstack: FakeToolstack;

  constructor(journal: Journal, toolstack: FakeToolstack) {
    this.#journal = journal;
    this.#toolstack = toolstack;
  }

  isOn(domid: number): boolean {
    return this.#logs.has(domid);
  }

  /** As another program does, without a trace in the journal. */
  setOn(domid: number, on: boolean): void {
    if (on) this.#logs.set(domid, { frames: new Set(), faults: 0 });
    else this.#logs.delete(domid);
  }

  /** The guest writes into these frames. */
  write(domid: number, frames: Iterable<number>): void {
    const log = this.#logs.get(domid);
    if (!log) return;
    for (const frame of frames) {
      if (!log.frames.has(frame)) log.faults++;
      log.frames.add(frame);
    }
  }

  open(): DirtyLogCalls {
    this.openCount++;
    let open = true;
    return {
      enable: (domid) => this.#enable(domid),
      disable: (domid) => this.#disable(domid),
      pageCount: (domid) => {
        this.#journal.enter('xc_domain_nr_gpfns', domid);
        this.#requireDomain('xc_domain_nr_gpfns', domid);
        return this.pageCounts.get(domid) ?? DEFAULT_PAGE_COUNT;
      },
      peek: (domid, pageCount, into) => this.#read('peek', domid, pageCount, into),
      clean: (domid, pageCount, into) => this.#read('clean', domid, pageCount, into),
      close: () => {
        if (open) this.openCount--;
        open = false;
      },
    };
  }

  dump(): string[] {
    return [
      ...[...this.#logs.keys()].map((domid) => `dirty log of domain ${domid} is on`),
      ...(this.openCount === 0 ? [] : [`${this.openCount} handles of dirty logging are open`]),
    ];
  }

  #enable(domid: number): void {
    const call = 'xc_shadow_control';
    this.#journal.enter(call, domid, 'enable');
    if (this.#isDying(call, domid)) return;
    if (this.withoutShadowPaging && this.#toolstack.domains.get(domid)?.flags.hvm === false) {
      throw new FakeCallError(call, 'EOPNOTSUPP');
    }
    const hasDevice = [...this.#toolstack.owners.values()].includes(domid);
    if (hasDevice || this.#logs.has(domid) || domid === 0) throw new FakeCallError(call, 'EINVAL');
    this.setOn(domid, true);
  }

  #disable(domid: number): void {
    this.#journal.enter('xc_shadow_control', domid, 'off');
    if (!this.#isDying('xc_shadow_control', domid)) this.setOn(domid, false);
  }

  #read(kind: 'peek' | 'clean', domid: number, pageCount: number, into: Uint8Array): DirtyLogStats {
    const call = 'xc_logdirty_control';
    this.#journal.enter(call, domid, kind);
    if (this.#isDying(call, domid)) return { pageCount, faultCount: 0, dirtyCount: 0 };
    const log = this.#logs.get(domid);
    if (!log) throw new Error(`${kind} of domain ${domid}, whose dirty logging is off`);
    into.fill(0, 0, Math.ceil(pageCount / 64) * 8);
    for (const frame of log.frames) {
      if (frame < pageCount) into[frame >> 3] = (into[frame >> 3] ?? 0) | (1 << (frame & 7));
    }
    const stats = { pageCount, faultCount: log.faults, dirtyCount: log.frames.size };
    if (kind === 'clean') this.setOn(domid, true);
    return stats;
  }

  /** Of a domain that is being destroyed Xen ignores every call and reports success. */
  #isDying(call: string, domid: number): boolean {
    return this.#requireDomain(call, domid).flags.dying;
  }

  #requireDomain(call: string, domid: number) {
    const domain = this.#toolstack.domains.get(domid);
    if (!domain) {
      this.#logs.delete(domid);
      throw new FakeCallError(call, 'ESRCH');
    }
    return domain;
  }
}
