import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { QmpClient } from '../qmp/generic-client.js';
import { QmpAbortedError, QmpClosedError, QmpConnectError } from '../qmp/errors.js';
import type { QmpClientOptions } from '../qmp/options.js';
import { socketTransport } from './socket-transport.js';

/** Where a QEMU that connects out (`-qmp unix:PATH,server=off`) finds us. Port 0 takes a free one. */
export type ListenAddress =
  { readonly unix: string } | { readonly host?: string; readonly port: number; readonly tls?: TlsOptions };

/** QEMUs that called and were not accepted yet; more are turned away. */
const backlog = 16;

export interface QmpListener extends AsyncDisposable {
  /** Where it listens, with the port that was taken. */
  readonly address: { readonly unix: string } | { readonly host: string; readonly port: number };
  /** Waits for the next QEMU, greets and negotiates; without a limit of time but `signal`. */
  accept<C, E>(options?: QmpClientOptions): Promise<QmpClient<C, E>>;
  /** Takes no more; clients that were accepted stay. Twice is fine. */
  close(): Promise<void>;
}

/** Listens for QEMUs that connect out. @throws QmpConnectError when the address can not be had. */
export async function listen(address: ListenAddress): Promise<QmpListener> {
  const tls = 'unix' in address ? undefined : address.tls;
  const server = tls === undefined ? createTcpServer() : createTlsServer(tls);
  const listener = new SocketListener(server, address, tls === undefined ? 'connection' : 'secureConnection');
  await listener.open();
  return listener;
}

interface Waiter {
  readonly resolve: (socket: Socket) => void;
  readonly reject: (error: Error) => void;
}

class SocketListener implements QmpListener {
  readonly #server: Server;
  readonly #wanted: ListenAddress;
  readonly #arrived: Socket[] = [];
  readonly #waiters = new Set<Waiter>();
  #closed = false;

  constructor(server: Server, wanted: ListenAddress, event: 'connection' | 'secureConnection') {
    this.#server = server;
    this.#wanted = wanted;
    server.on(event, (socket: Socket) => this.#arrive(socket));
  }

  get address(): { unix: string } | { host: string; port: number } {
    if ('unix' in this.#wanted) return { unix: this.#wanted.unix };
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  async open(): Promise<void> {
    const wanted = this.#wanted;
    const where = 'unix' in wanted ? { path: wanted.unix } : { host: wanted.host ?? '127.0.0.1', port: wanted.port };
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(where, () => {
          this.#server.off('error', reject);
          resolve();
        });
      });
    } catch (cause) {
      const name = 'unix' in wanted ? `unix:${wanted.unix}` : `tcp:${wanted.host ?? '127.0.0.1'}:${wanted.port}`;
      const next = 'Remove a stale socket file, or choose another address.';
      throw new QmpConnectError('dial', `${name}: can not listen, ${(cause as Error).message}`, { next, cause });
    }
    // A call that fails half way concerns the caller only.
    this.#server.on('error', () => undefined);
  }

  async accept<C, E>(options: QmpClientOptions = {}): Promise<QmpClient<C, E>> {
    const socket = await this.#next(options.signal);
    const { unix } = this.#wanted as { unix?: string };
    const description = unix === undefined ? `tcp:${socket.remoteAddress}:${socket.remotePort}` : `unix:${unix}`;
    return QmpClient.connect<C, E>(socketTransport(socket, description), options);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of this.#arrived.splice(0)) socket.destroy();
    for (const waiter of this.#waiters) waiter.reject(closedError());
    this.#waiters.clear();
    // Node waits for every accepted connection before it says `close`; those are not ours any more.
    this.#server.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #arrive(socket: Socket): void {
    const forget = (): void => {
      const index = this.#arrived.indexOf(socket);
      if (index >= 0) this.#arrived.splice(index, 1);
    };
    socket.on('error', forget);
    const [waiter] = this.#waiters;
    if (waiter !== undefined) {
      this.#waiters.delete(waiter);
      waiter.resolve(socket);
    } else if (this.#arrived.length < backlog) {
      this.#arrived.push(socket);
      socket.once('close', forget);
    } else socket.destroy();
  }

  #next(signal: AbortSignal | undefined): Promise<Socket> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    return new Promise((resolve, reject) => {
      if (this.#closed) throw closedError();
      const aborted = (): Error => new QmpAbortedError({ command: 'accept', sent: false }, signal?.reason);
      if (signal?.aborted === true) throw aborted();
      const abort = (): void => waiter.reject(aborted());
      const release = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', abort);
      };
      const waiter: Waiter = {
        resolve: (socket) => {
          release();
          resolve(socket);
        },
        reject: (error) => {
          release();
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiters.add(waiter);
    });
  }
}

const closedError = (): QmpClosedError => new QmpClosedError('local', { fate: { command: 'accept', sent: false } });
