import { chmodSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { peerCredentials, type PeerCredentials } from '@xenpt/xen-bindings';
import { describeError, errnoName } from './errors.js';
import { LineSplitter } from './json-lines.js';
import {
  MAX_REQUEST_BYTES,
  type ModelReply,
  type ModelRequest,
  parseRequest,
  type WireError,
} from './model-protocol.js';

/** One command at a time and a monitor beside it; nobody needs more. */
const MAX_CONNECTIONS = 8;
const MAX_PENDING_REQUESTS = 16;

/** @param closed aborted when the connection that the request came by has ended */
export type RequestHandler = (request: ModelRequest, closed: AbortSignal) => Promise<unknown>;

/**
 * Serves the control socket of a device model. Requests of all connections are handled one after another, since
 * hypercalls of one domain come from one place; but `status`, which makes none, waits for nobody.
 *
 * The folder of `socketPath` is expected to be 0700; the socket itself becomes 0600. Who connects all the same, by a
 * descriptor handed over or a folder that was opened, is asked for by its credentials: root and our own user may.
 *
 * @param mayAsk for tests
 */
export async function serveControl(
  socketPath: string,
  handle: RequestHandler,
  mayAsk = ({ uid }: PeerCredentials): boolean => uid === 0 || uid === statSync(socketPath).uid,
): Promise<ControlServer> {
  rmSync(socketPath, { force: true });
  const control = new ControlServer(handle, mayAsk);
  await control.listen(socketPath);
  chmodSync(socketPath, 0o600);
  return control;
}

export class ControlServer {
  readonly #server: Server;
  readonly #handle: RequestHandler;
  readonly #mayAsk: (peer: PeerCredentials) => boolean;
  readonly #sockets = new Set<Socket>();
  #queue: Promise<void> = Promise.resolve();
  #pending = 0;

  constructor(handle: RequestHandler, mayAsk: (peer: PeerCredentials) => boolean) {
    this.#handle = handle;
    this.#mayAsk = mayAsk;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  listen(socketPath: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject).listen(socketPath, resolve);
    });
  }

  /** Lets replies under way out, then ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
  }

  #accept(socket: Socket): void {
    const splitter = new LineSplitter(MAX_REQUEST_BYTES);
    const closed = new AbortController();
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      closed.abort();
    });
    // A peer that went away has nothing more to say; its request is finished all the same.
    socket.on('error', () => socket.destroy());
    try {
      this.#checkPeer(socket);
    } catch (error) {
      refuse(socket, error);
      return;
    }
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const line of splitter.push(chunk)) this.#receive(socket, line, closed.signal);
      } catch (error) {
        refuse(socket, error);
      }
    });
  }

  #checkPeer(socket: Socket): void {
    const peer = peerCredentials(descriptorOf(socket));
    if (this.#mayAsk(peer)) return;
    throw Object.assign(new Error(`process ${peer.pid} of user ${peer.uid} may not control this device model`), {
      code: 'XENPT_MODEL_FORBIDDEN',
      next: 'Ask as root, or as the user that the device model runs as.',
    });
  }

  #receive(socket: Socket, line: string, closed: AbortSignal): void {
    const request = parseRequest(line);
    // It is known at once, and asked most when something else hangs.
    if (request.method === 'status') {
      void this.#answer(request, closed).then((reply) => send(socket, reply));
      return;
    }
    if (this.#pending >= MAX_PENDING_REQUESTS) throw new RangeError('too many requests are waiting');
    this.#pending++;
    this.#queue = this.#queue.then(async () => {
      const reply = await this.#answer(request, closed);
      this.#pending--;
      send(socket, reply);
    });
  }

  async #answer(request: ModelRequest, closed: AbortSignal): Promise<ModelReply> {
    try {
      return { id: request.id, result: (await this.#handle(request, closed)) ?? null };
    } catch (error) {
      return { id: request.id, error: wireError(error) };
    }
  }
}

/** Node has no public name for it. Without one nobody is let in: -1 is no socket. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd ?? -1;
}

function refuse(socket: Socket, error: unknown): void {
  send(socket, { id: null, error: wireError(error) });
  socket.destroySoon();
}

function send(socket: Socket, reply: ModelReply): void {
  if (socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
}

function wireError(error: unknown): WireError {
  const { code, next } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    next?: unknown;
  };
  return {
    code: typeof code === 'string' ? code : (errnoName(error) ?? 'XENPT_MODEL_FAILED'),
    message: describeError(error),
    next: typeof next === 'string' ? next : 'Look into the log of the device model in /var/log/xenpt.',
  };
}
