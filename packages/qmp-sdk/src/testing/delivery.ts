/**
 * How what the fake says is cut on its way: message by message, byte by byte, after the given offsets of each message,
 * or several messages in one piece (`coalesce`: everything said in one turn).
 */
export type Delivery = 'message' | 'byte' | 'coalesce' | { readonly splitAt: readonly number[] };

/** Carries bytes to one client in the way that was asked for; each piece is a turn of its own. */
export class Deliverer {
  readonly #delivery: Delivery;
  readonly #send: (latin1: string) => void;
  readonly #pieces: string[] = [];
  #running = false;
  #stalled = false;
  #idle: (() => void)[] = [];

  constructor(delivery: Delivery, send: (latin1: string) => void) {
    this.#delivery = delivery;
    this.#send = send;
  }

  say(latin1: string): void {
    if (this.#delivery === 'coalesce' && this.#pieces.length > 0) this.#pieces.push(this.#pieces.pop() + latin1);
    else for (const piece of this.#cut(latin1)) this.#pieces.push(piece);
    this.#start();
  }

  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    this.#start();
  }

  /** Calls back when everything said so far has left. */
  afterwards(callback: () => void): void {
    this.#idle.push(callback);
    this.#start();
  }

  #cut(latin1: string): string[] {
    if (this.#delivery === 'message' || this.#delivery === 'coalesce') return [latin1];
    if (this.#delivery === 'byte') return [...latin1];
    const edges = [0, ...this.#delivery.splitAt.filter((at) => at > 0 && at < latin1.length), latin1.length];
    return edges.slice(1).map((end, index) => latin1.slice(edges[index], end));
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    for (let count = 0; this.#pieces.length > 0 && !this.#stalled; count++) {
      this.#send(this.#pieces.shift() as string);
      if (this.#delivery !== 'message') await (count % 256 === 255 ? turn() : Promise.resolve());
    }
    this.#running = false;
    if (this.#stalled || this.#pieces.length > 0) return;
    for (const callback of this.#idle.splice(0)) callback();
  }
}

/** Lets timers and sockets run in between. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
