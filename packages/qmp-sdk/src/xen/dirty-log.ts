import {
  controlDomain,
  domainGone,
  enableRefused,
  loggingClosed,
  loggingLost,
  measuredAlready,
  migrationRunning,
  scanFailed,
  stillOn,
} from './dirty-log-errors.js';
import { findSaver } from './dirty-log-migration.js';
import { ownerOf, readDirtyLogRecord, removeDirtyLogRecord, writeDirtyLogRecord } from './dirty-log-record.js';
import { recoverRecord } from './dirty-log-recover.js';
import { isDomainAlive, switchOff } from './dirty-log-switch.js';
import { type Domain, findDomain } from './domains.js';
import { errnoName } from './errors.js';
import type { DirtyLogCalls, XenHost } from './host.js';
import { withLock } from './lock.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { runFile } from './run-dir.js';

const BITS_PER_WORD = 64;
const BYTES_PER_WORD = 8;

export interface DirtyLogOptions {
  /** Domain id or name. */
  readonly domain: string;
  /** Abort: logging is switched off, and every later call throws XENPT_ABORTED. */
  readonly signal?: AbortSignal;
}

/** One look at the log. */
export interface DirtyScan {
  /** Pages that the map tells about: bit n is guest frame n, lowest bit of the lowest byte first. */
  readonly pageCount: number;
  /** Bytes that were written into the map: whole 64-bit words, the bits after the last page 0. */
  readonly sizeBytes: number;
  /** Faults of guest writes since the last clean, if Xen counts them: it does for shadow paging (PV), not for HAP. */
  readonly faultCount: number;
  /** Pages that became dirty since the last clean, as Xen counts them. */
  readonly dirtyCount: number;
  /** Monotonic milliseconds (`host.clock`) at Xen's answer: what comes before it in a look takes longer, and varies. */
  readonly atMs: number;
}

/**
 * The log of the pages that a guest writes, switched on for as long as it is open.
 *
 * It sees what the guest's processors write, and what backends write through grants; not what a device model writes
 * into guest memory on its own, unless it reports that to Xen.
 */
export interface DirtyLog extends AsyncDisposable {
  readonly domid: number;
  readonly domainName: string;
  /** UUID in text. */
  readonly handle: string;
  /** `hvm`, `pvh` or `pv`. */
  readonly domainType: string;
  /** Highest guest frame + 1, asked of Xen at each access: it may grow. Not the guest's memory: it spans holes. */
  readonly pageCount: number;
  /** Bytes that a map needs now. */
  readonly sizeBytes: number;
  /**
   * Writes the map into `into` and clears nothing.
   *
   * @throws RangeError if `into` is too small; nothing is lost then: enlarge it to `sizeBytes`.
   * @throws XenOperationError XENPT_DOMAIN_GONE, XENPT_MIGRATION_RUNNING, XENPT_DIRTY_LOG_LOST (each ends the log; what
   * is in `into` is then worth nothing), XENPT_ABORTED, XENPT_STEP_FAILED
   */
  peek(into: Uint8Array): DirtyScan;
  /** The same, and clears: the pages written since the last clean, or since the log was opened. */
  clean(into: Uint8Array): DirtyScan;
  /**
   * Switches logging off. Twice is fine, and so is a domain that is gone.
   *
   * @throws XenOperationError XENPT_STEP_FAILED if it is still on; then call it again, or run `xenpt recover`.
   */
  close(): Promise<void>;
}

/** Bytes of a map of `pageCount` pages: 1 bit each, in whole 64-bit words. */
export function dirtyMapSizeBytes(pageCount: number): number {
  return Math.ceil(pageCount / BITS_PER_WORD) * BYTES_PER_WORD;
}

/**
 * Switches the dirty logging of a guest on. A record on disk says so before, and until it is off again; if this process
 * is killed, `recoverDirtyLogs()` or the next `openDirtyLog()` of that guest switches it off.
 *
 * @throws XenOperationError XENPT_NO_SUCH_DOMAIN, XENPT_DOMAIN_HAS_DEVICE, XENPT_DIRTY_LOG_BUSY (measured by another
 * process, which is named, or switched on by somebody else), XENPT_DIRTY_LOG_UNSUPPORTED, XENPT_MIGRATION_RUNNING,
 * XENPT_DOMAIN_GONE, XENPT_NOT_ROOT, XENPT_NO_XEN, XENPT_ABORTED, XENPT_LOCKED, XENPT_STEP_FAILED
 */
export async function openDirtyLog(host: XenHost, options: DirtyLogOptions): Promise<DirtyLog> {
  requireRoot(host, "log a guest's writes");
  const domain = findDomain(host, options.domain);
  if (domain.domid === 0) throw controlDomain(domain);
  if (options.signal?.aborted === true) throw loggingClosed(domain, true);
  const calls = host.openDirtyLogCalls();
  try {
    const lock = runFile.dirtyLogLock(host.runDir);
    await withLock(lock, host, LOCK_TIMEOUT_MS, () => switchOn(host, calls, domain));
  } catch (error) {
    calls.close();
    throw error;
  }
  return new OpenDirtyLog(host, calls, domain, options.signal);
}

async function switchOn(host: XenHost, calls: DirtyLogCalls, domain: Domain): Promise<void> {
  const identity = { domid: domain.domid, handle: domain.info.handle };
  const left = readDirtyLogRecord(host.runDir, domain.domid);
  if (left && (await recoverRecord(host, calls, left)).outcome === 'owner-alive') {
    throw measuredAlready(domain, left);
  }
  const saver = findSaver(host.processList, domain.domid);
  if (saver) throw migrationRunning(domain, saver);
  writeDirtyLogRecord(host.runDir, { ...identity, owner: ownerOf(host) });
  try {
    calls.enable(domain.domid);
  } catch (error) {
    removeDirtyLogRecord(host.runDir, domain.domid);
    throw enableRefused(host.store, domain, error);
  }
  await verifyAlive(host, calls, domain);
}

/** Of a dying domain Xen says that logging is on. */
async function verifyAlive(host: XenHost, calls: DirtyLogCalls, domain: Domain): Promise<void> {
  const identity = { domid: domain.domid, handle: domain.info.handle };
  let alive = false;
  try {
    alive = isDomainAlive(host, identity);
  } catch (error) {
    await switchOff(host, calls, identity);
    throw scanFailed(domain, 'switched on', error);
  }
  if (alive) return;
  removeDirtyLogRecord(host.runDir, domain.domid);
  throw domainGone(domain);
}

class OpenDirtyLog implements DirtyLog {
  readonly #host: XenHost;
  readonly #calls: DirtyLogCalls;
  readonly #domain: Domain;
  readonly #signal: AbortSignal | undefined;
  /** `ended`: not ours any more, and nothing left to switch off. */
  #state: 'on' | 'ended' | 'closed' = 'on';
  #closing: Promise<void> | undefined;

  constructor(host: XenHost, calls: DirtyLogCalls, domain: Domain, signal: AbortSignal | undefined) {
    this.#host = host;
    this.#calls = calls;
    this.#domain = domain;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted === true) this.#onAbort();
  }

  get domid(): number {
    return this.#domain.domid;
  }

  get domainName(): string {
    return this.#domain.name;
  }

  get handle(): string {
    return this.#domain.info.handle;
  }

  get domainType(): string {
    return this.#domain.type;
  }

  get pageCount(): number {
    this.#requireOpen();
    return this.#attempt('measured', () => this.#calls.pageCount(this.domid));
  }

  get sizeBytes(): number {
    return dirtyMapSizeBytes(this.pageCount);
  }

  peek(into: Uint8Array): DirtyScan {
    return this.#scan('peek', into);
  }

  clean(into: Uint8Array): DirtyScan {
    return this.#scan('clean', into);
  }

  close(): Promise<void> {
    this.#closing ??= this.#switchOff().catch((error: unknown) => {
      this.#closing = undefined;
      throw stillOn(this.#domain, error);
    });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #scan(kind: 'peek' | 'clean', into: Uint8Array): DirtyScan {
    this.#requireOpen();
    this.#requireOurs();
    const { pageCount } = this;
    const sizeBytes = dirtyMapSizeBytes(pageCount);
    if (into.byteLength < sizeBytes) {
      throw new RangeError(`the map has ${into.byteLength} bytes; ${pageCount} pages need ${sizeBytes}`);
    }
    const stats = this.#attempt('read', () => this.#calls[kind](this.domid, pageCount, into));
    const atMs = this.#host.clock.now();
    this.#requireAlive();
    return { ...stats, sizeBytes, atMs };
  }

  #requireOpen(): void {
    const aborted = this.#signal?.aborted === true;
    if (this.#state !== 'on' || this.#closing) throw loggingClosed(this.#domain, aborted);
  }

  /**
   * Xen neither says whether logging is on nor refuses a clean when it is off (it then write-protects the guest's
   * memory for nobody), and a clean under a migration would take pages from it that it never sends. So look before:
   * switching on what is on is refused and changes nothing.
   */
  #requireOurs(): void {
    this.#requireAlive();
    const saver = findSaver(this.#host.processList, this.domid);
    if (saver) throw this.#end(migrationRunning(this.#domain, saver));
    try {
      this.#calls.enable(this.domid);
    } catch (error) {
      if (errnoName(error) === 'EINVAL') return;
      throw this.#endIfGone(scanFailed(this.#domain, 'read', error), error);
    }
    this.#requireAlive(); // of a dying domain Xen says that it worked
    this.#attempt('switched off', () => this.#calls.disable(this.domid));
    throw this.#end(loggingLost(this.#domain));
  }

  #requireAlive(): void {
    const identity = { domid: this.domid, handle: this.handle };
    const alive = this.#attempt('read', () => isDomainAlive(this.#host, identity));
    if (!alive) throw this.#end(domainGone(this.#domain));
  }

  #attempt<T>(what: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw this.#endIfGone(scanFailed(this.#domain, what, error), error);
    }
  }

  #endIfGone<T>(failure: T, cause: unknown): T {
    return errnoName(cause) === 'ESRCH' ? this.#end(failure) : failure;
  }

  /** Nothing is left that would have to be switched off by us. */
  #end<T>(reason: T): T {
    this.#state = 'ended';
    removeDirtyLogRecord(this.#host.runDir, this.domid);
    return reason;
  }

  async #switchOff(): Promise<void> {
    if (this.#state === 'on') await switchOff(this.#host, this.#calls, this);
    if (this.#state !== 'closed') this.#calls.close();
    this.#state = 'closed';
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  /** A failure is told by the next close(), which tries again. */
  readonly #onAbort = (): void => {
    this.close().catch(() => undefined);
  };
}
