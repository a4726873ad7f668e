import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { QmpClient } from '../qmp/generic-client.js';
import { QmpAbortedError, QmpConnectError } from '../qmp/errors.js';
import { resolveOptions, type QmpClientOptions } from '../qmp/options.js';
import { transportFromDuplex, type QmpTransport } from '../qmp/transport.js';
import { openFdTransport } from './fd-transport.js';
import { monitorHolder } from './monitor-holder.js';
import { dialSocket, socketTransport, untilReady } from './socket-transport.js';

/** Where a monitor is: a Unix socket, a TCP port (with TLS if `tls` is given), or a stream that is open already. */
export type QmpAddress =
  | { readonly unix: string }
  | { readonly host: string; readonly port: number; readonly tls?: ConnectionOptions }
  | { readonly socket: Duplex };

export interface ConnectOptions extends QmpClientOptions {
  /** Uses the transport that can pass file descriptors; Unix sockets on Linux and macOS, see {@link canPassFds}. */
  readonly passFds?: boolean;
  /** Asked before each retry: false ends dialling, for instance when the QEMU process is gone. */
  readonly isAlive?: () => boolean;
}

/** QEMU is not there yet, or its backlog of one is full: what Linux and macOS say while it may still come. */
const transientErrors: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'EAGAIN']);
const firstRetryMs = 10;
const longestRetryMs = 250;

/**
 * Connects to a monitor: dials, as often as the deadline allows while QEMU is not there yet, greets and negotiates.
 *
 * @throws QmpConnectError, QmpMonitorBusyError, QmpAbortedError, RangeError for an option out of range.
 */
export async function connect<C, E>(address: QmpAddress, options: ConnectOptions = {}): Promise<QmpClient<C, E>> {
  const { connectTimeoutMs } = resolveOptions(options);
  const deadline = performance.now() + connectTimeoutMs;
  const transport = await dial(address, options, deadline);
  const remainingMs = Math.max(1, Math.round(deadline - performance.now()));
  return QmpClient.connect<C, E>(transport, { ...options, connectTimeoutMs: remainingMs });
}

/** For error messages. */
export function describeAddress(address: QmpAddress): string {
  if ('unix' in address) return `unix:${address.unix.replace(/^\0/, '@')}`;
  if ('socket' in address) return 'stream';
  return `${address.tls === undefined ? 'tcp' : 'tls'}:${address.host}:${address.port}`;
}

async function dial(address: QmpAddress, options: ConnectOptions, deadline: number): Promise<QmpTransport> {
  if ('socket' in address) return transportFromDuplex(address.socket);
  const description = describeAddress(address);
  for (let waitMs = firstRetryMs; ; waitMs = Math.min(longestRetryMs, waitMs * 2)) {
    try {
      return await openOnce(address, description, options, deadline);
    } catch (cause) {
      if (cause instanceof QmpAbortedError) throw cause;
      const code = codeOf(cause);
      const leftMs = deadline - performance.now();
      const gone = options.isAlive?.() === false;
      if (!transientErrors.has(code) || leftMs <= waitMs || gone) throw dialError(description, code, cause, gone);
    }
    await pause(waitMs, options.signal);
  }
}

async function openOnce(
  address: Exclude<QmpAddress, { socket: Duplex }>,
  description: string,
  options: ConnectOptions,
  deadline: number,
): Promise<QmpTransport> {
  const limits = { description, deadline, ...signalOf(options) };
  if ('unix' in address) {
    const holder = () => monitorHolder(address.unix);
    if (options.passFds === true) return openFdTransport(address.unix, description, holder);
    return dialSocket({ path: address.unix }, { ...limits, holder });
  }
  const { host, port, tls } = address;
  if (tls === undefined) return dialSocket({ host, port, noDelay: true }, limits);
  // A fifth of Node's own start, which a monitor at a Unix socket need not wait for.
  const { connect: connectTls } = await import('node:tls');
  const socket = connectTls({ servername: host, ...tls, host, port });
  return socketTransport(await untilReady(socket, 'secureConnect', limits), description);
}

const signalOf = ({ signal }: ConnectOptions): { signal?: AbortSignal } => (signal === undefined ? {} : { signal });

async function pause(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(waitMs, undefined, signalOf(signal === undefined ? {} : { signal }));
  } catch {
    throw new QmpAbortedError({ command: 'connect', sent: false }, signal?.reason);
  }
}

/** The system's name of the error; Node wraps one for each address that it tried. */
function codeOf(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: readonly unknown[] };
  if (typeof code === 'string' && code !== '') return code;
  return errors?.length ? codeOf(errors[0]) : '';
}

const dialHints: Readonly<Record<string, string>> = {
  ENOENT: 'Start QEMU with this socket (-qmp unix:PATH,server=on,wait=off), or check the path.',
  ECONNREFUSED: 'Nobody listens there: check that QEMU still runs.',
  EAGAIN: 'Other clients queue for this monitor: end one of them.',
  EACCES: "Only the socket's owner may connect: run as that user, or start QEMU with a umask that lets the group in.",
  EPERM: 'Run as the user who owns the socket.',
};

function dialError(description: string, code: string, cause: unknown, gone: boolean): QmpConnectError {
  const next = dialHints[code] ?? 'Check the address, and that QEMU listens there.';
  const why = gone ? 'QEMU is gone' : (cause as Error).message || code;
  return new QmpConnectError('dial', `${description}: can not connect, ${why}`, { next, cause });
}
