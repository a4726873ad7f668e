import { connect as connectSocket, type NetConnectOpts, type Socket } from 'node:net';
import { QmpAbortedError, QmpConnectError } from '../qmp/errors.js';
import { transportFromDuplex, type QmpTransport, type TransportSink } from '../qmp/transport.js';

export interface SocketOptions {
  readonly description: string;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  readonly holder?: () => Promise<number | undefined>;
  readonly signal?: AbortSignal;
}

/** What a read takes at most; the kernel's socket buffers are about that size. */
const readBytes = 64 << 10;

/** Dials a Unix socket or a TCP port, and reads it into one buffer that is used again for every read. */
export async function dialSocket(address: NetConnectOpts, options: SocketOptions): Promise<QmpTransport> {
  let sink: TransportSink | undefined;
  let early = '';
  const onread = {
    buffer: Buffer.allocUnsafe(readBytes),
    callback(count: number, bytes: Uint8Array): boolean {
      const latin1 = (bytes as Buffer).toString('latin1', 0, count);
      if (sink === undefined) early += latin1;
      else sink.data(latin1);
      return true;
    },
  };
  const socket = await untilReady(connectSocket({ ...address, onread }), 'connect', options);
  const transport = socketTransport(socket, options.description, options.holder);
  return {
    ...transport,
    open(opened) {
      sink = opened;
      transport.open(opened);
      socket.resume();
      if (early !== '') opened.data(early);
    },
  };
}

/** Waits until the stream can be used, the deadline or the signal. What fails is closed. */
export async function untilReady<S extends Socket>(
  socket: S,
  ready: 'connect' | 'secureConnect',
  { signal, description, deadline }: SocketOptions,
): Promise<S> {
  let release = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(new QmpAbortedError({ command: 'connect', sent: false }, signal?.reason));
      const late = (): void => reject(new QmpConnectError('dial', `${description}: no answer in time`, slowNetwork));
      const timer = setTimeout(late, Math.max(0, deadline - performance.now()));
      signal?.addEventListener('abort', abort, { once: true });
      socket.once(ready, resolve);
      socket.once('error', reject);
      release = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        socket.off('error', reject);
      };
      if (signal?.aborted === true) abort();
    });
    return socket;
  } catch (error) {
    socket.on('error', () => undefined);
    socket.destroy();
    throw error;
  } finally {
    release();
  }
}

const slowNetwork = { next: 'Raise connectTimeoutMs, or check the host and the port.' };

/** A connected socket as a transport. */
export function socketTransport(
  socket: Socket,
  description: string,
  holder?: () => Promise<number | undefined>,
): QmpTransport {
  const transport = transportFromDuplex(socket, description);
  return {
    ...transport,
    // Closes once what was written has left, also when the other side never closes its half.
    end: () => socket.destroySoon(),
    ...(holder === undefined ? {} : { holder }),
  };
}
