import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';

/** What may be sent at once after a delay that was not the link's: timers are late on a busy machine. */
const CATCH_UP_MS = 100;

/** A wire between two Unix sockets that carries so many bytes per second to the other side, and no more in a pause. */
export class ThrottledLink implements AsyncDisposable {
  /** Bytes that have arrived. */
  bytes = 0;
  readonly #server = createServer((near) => void this.#carry(near));
  readonly #sockets = new Set<Socket>();
  readonly #bytesPerSecond: number;
  readonly #target: string;

  private constructor(target: string, bytesPerSecond: number) {
    this.#target = target;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Listens at `path`, and connects to `target` for each connection there. */
  static async open(path: string, target: string, bytesPerSecond: number): Promise<ThrottledLink> {
    const link = new ThrottledLink(target, bytesPerSecond);
    link.#server.listen(path);
    await once(link.#server, 'listening');
    return link;
  }

  async #carry(near: Socket): Promise<void> {
    const far = connect(this.#target);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => [near, far].forEach((end) => end.destroy()));
    }
    far.pipe(near);
    let freeMs = performance.now();
    for await (const chunk of near as AsyncIterable<Buffer>) {
      // The wire is busy with what came before; a rest of the past is not saved up.
      freeMs = Math.max(freeMs, performance.now() - CATCH_UP_MS) + (chunk.length / this.#bytesPerSecond) * 1000;
      const waitMs = freeMs - performance.now();
      if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
      this.bytes += chunk.length;
      if (!far.write(chunk)) await once(far, 'drain');
    }
    far.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
