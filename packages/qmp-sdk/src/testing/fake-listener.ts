import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { SessionStream } from './fake-session.js';
import type { AttachedClient } from './memory-transport.js';

export type FakeAddress = { readonly unix: string } | { readonly host?: string; readonly port: number };

/** The socket side of the fake. */
export class FakeListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(attach: (stream: SessionStream) => AttachedClient) {
    // QEMU answers what it has read after the client closed its half.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      const client = attach({
        send: (latin1) => void socket.write(latin1, 'latin1'),
        end: () => socket.destroySoon(),
        reset: () => socket.destroy(),
      });
      socket.setEncoding('latin1');
      socket.on('data', (latin1: string) => client.receive(latin1));
      socket.on('end', () => setTimeout(() => socket.destroySoon(), 0));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.left();
      });
    });
  }

  listen(address: FakeAddress): Promise<FakeAddress> {
    const where =
      'unix' in address ? { path: address.unix } : { host: address.host ?? '127.0.0.1', port: address.port };
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(where, () => {
        const bound = this.#server.address() as AddressInfo | string;
        resolve(typeof bound === 'string' ? { unix: bound } : { host: bound.address, port: bound.port });
      });
    });
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
