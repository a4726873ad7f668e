import { existsSync } from 'node:fs';
import { connect } from '../node/connect.js';
import type { QmpClient } from '../qmp/client.js';
import type { QmpClientOptions } from '../qmp/options.js';
import { type Domain, findDomain } from './domains.js';
import { XenErrorCode, XenOperationError } from './errors.js';
import type { XenHost } from './host.js';
import { takeLibxlLock } from './libxl-lock.js';
import { requireRoot } from './require-root.js';

/** libxl waits 10 s for an answer and fails then (QMP_SOCKET_CONNECT_TIMEOUT and others, libxl_internal.h). */
const LOCK_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5000;
const BURST_TIMEOUT_MS = 5000;
/** A guest may have taken over its QEMU. Its schema is the longest honest answer: 0.2 MiB. libxl takes 1 MiB. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const MAX_NESTING = 128;

export interface GuestQmpOptions extends Pick<QmpClientOptions, 'commandTimeoutMs' | 'transcript' | 'onWarning'> {
  /** Ends what runs, and the connection. */
  readonly signal?: AbortSignal;
  /** How long all of it may take once the lock is there: 5 s. `xl` waits meanwhile. */
  readonly timeoutMs?: number;
  /** How long another user of the monitor is waited for: 10 s. */
  readonly lockTimeoutMs?: number;
  /** Uses the transport that can pass a file descriptor. */
  readonly passFds?: boolean;
}

/**
 * Talks to the QEMU of a guest: connects, runs `work`, disconnects. The socket is libxl's, who expects it to be
 * free for each of its own operations; so this takes libxl's lock, keeps it as short as `work` is, and never longer
 * than `timeoutMs`. QEMU is not trusted: message size, nesting and time are bounded.
 *
 * @param domain id or name, as in `xl list`.
 * @throws XenOperationError XENPT_NO_SUCH_DOMAIN, XENPT_NO_MONITOR when it has no QEMU, XENPT_LOCKED,
 * XENPT_MONITOR_TIMEOUT; what the client and `work` throw.
 */
export async function withGuestQmp<T>(
  host: XenHost,
  domain: string,
  work: (client: QmpClient, domain: Domain) => Promise<T>,
  options: GuestQmpOptions = {},
): Promise<T> {
  requireRoot(host, "talk to a guest's QEMU");
  const found = findDomain(host, domain);
  const path = host.monitors.control(found.domid);
  requireMonitor(found, path);
  const { lockTimeoutMs = LOCK_TIMEOUT_MS, signal } = options;
  const lock = await takeLibxlLock(host.monitors.lock(found.domid, found.info.handle), {
    timeoutMs: lockTimeoutMs,
    guards: "the guest's QEMU monitor",
    signal,
  });
  try {
    // A domid is used again, and the wait may have been long.
    requireSame(host, found);
    return await burst(path, (client) => work(client, found), found, options);
  } finally {
    lock.release();
  }
}

/**
 * Connects to the second monitor of a guest's QEMU and leaves it connected, for events. libxl does not use it, but
 * `xentop` does: its figures of this guest's emulated disks are missing meanwhile.
 *
 * @throws as {@link withGuestQmp}; QmpMonitorBusyError when somebody else is connected.
 */
export async function connectToGuestEvents(
  host: XenHost,
  domain: string,
  options: Pick<GuestQmpOptions, 'signal' | 'transcript'> = {},
): Promise<{ client: QmpClient; domain: Domain }> {
  requireRoot(host, "talk to a guest's QEMU");
  const found = findDomain(host, domain);
  const path = host.monitors.statistics(found.domid);
  requireMonitor(found, path);
  return { client: await connect({ unix: path }, clientOptions(options)), domain: found };
}

async function burst<T>(
  path: string,
  work: (client: QmpClient) => Promise<T>,
  domain: Domain,
  options: GuestQmpOptions,
): Promise<T> {
  const { timeoutMs = BURST_TIMEOUT_MS, signal } = options;
  const client = await connect({ unix: path }, clientOptions(options));
  let stop: () => void = () => {};
  const limit = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(tooLong(domain, timeoutMs)), timeoutMs);
    const abort = () => reject(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  });
  try {
    return await Promise.race([work(client), limit]);
  } finally {
    stop();
    // Replies that are still outstanding are nobody's any more; the next user of the monitor waits.
    client.destroy();
  }
}

function clientOptions(options: GuestQmpOptions) {
  const { signal, passFds, commandTimeoutMs, transcript, onWarning } = options;
  return {
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    maxNesting: MAX_NESTING,
    commandTimeoutMs: commandTimeoutMs ?? BURST_TIMEOUT_MS,
    ...(signal ? { signal } : {}),
    ...(passFds === undefined ? {} : { passFds }),
    ...(transcript ? { transcript } : {}),
    ...(onWarning ? { onWarning } : {}),
  };
}

/** @throws XenOperationError XENPT_NO_MONITOR */
export function requireQemu({ monitors }: XenHost, domain: Domain): void {
  requireMonitor(domain, monitors.control(domain.domid));
}

function requireMonitor({ domid, name, type }: Domain, path: string): void {
  if (existsSync(path)) return;
  throw new XenOperationError(XenErrorCode.noMonitor, `domain ${domid} (${name}) has no QEMU: there is no ${path}`, {
    next:
      type === 'hvm'
        ? 'Wait until it has started; see /var/log/xen/qemu-dm-*.log.'
        : `A ${type.toUpperCase()} guest has a QEMU only if its devices need one.`,
  });
}

function requireSame(host: XenHost, { domid, name, info }: Domain): void {
  if (host.toolstack.domainInfo(domid)?.handle === info.handle) return;
  throw new XenOperationError(XenErrorCode.noSuchDomain, `domain ${domid} (${name}) has gone meanwhile`, {
    next: 'See `xl list` for the ids and names.',
  });
}

function tooLong({ domid, name }: Domain, timeoutMs: number): XenOperationError {
  return new XenOperationError(
    XenErrorCode.monitorTimeout,
    `the QEMU of domain ${domid} (${name}) has not answered everything within ${timeoutMs} ms`,
    { next: 'What was asked last may have been done: query the state. xl would have waited longer than this.' },
  );
}
