import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** So much may be caught up on: timers are late. More, and what was not sent in a pause would be sent in a burst. */
const CATCH_UP_MS = 20;

/** A wire between two Unix sockets that carries so many bytes per second to the other side, also after a pause. */
export class ThrottledLink implements AsyncDisposable {
  readonly #server = createServer({ allowHalfOpen: true }, (near) => void this.#accept(near));
  readonly #sockets = new Set<Socket>();
  /** Where it listens. */
  readonly path: string;
  readonly #bytesPerSecond: number;
  readonly #target: string;

  private constructor(path: string, target: string, bytesPerSecond: number) {
    this.path = path;
    this.#target = target;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Listens at `path`, and connects to `target` for each connection there. */
  static async open(path: string, target: string, bytesPerSecond: number): Promise<ThrottledLink> {
    const link = new ThrottledLink(path, target, bytesPerSecond);
    link.#server.listen(path);
    await once(link.#server, 'listening');
    return link;
  }

  async #accept(near: Socket): Promise<void> {
    const far = connect(this.#target);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
    }
    far.pipe(near);
    // The last bytes are still on their way when the near end has closed.
    far.on('close', () => near.destroy());
    await this.#carry(near, far).catch(() => far.destroy());
  }

  async #carry(near: Socket, far: Socket): Promise<void> {
    let freeMs = performance.now();
    for await (const chunk of near as AsyncIterable<Buffer>) {
      // The wire is busy with what came before; a rest of the past is not saved up.
      freeMs = Math.max(freeMs, performance.now() - CATCH_UP_MS) + (chunk.length / this.#bytesPerSecond) * 1000;
      const waitMs = freeMs - performance.now();
      if (waitMs > 1) await delay(waitMs);
      if (!far.write(chunk)) await once(far, 'drain');
    }
    far.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
