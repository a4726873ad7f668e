import { describeError } from './errors.js';
import type { GuestModel } from './model-process.js';

/**
 * Who expects the guest to eject: whoever asked last, as long as its connection lasts. So a command that dies leaves
 * the guest's ejects to QEMU, as they are without it.
 */
export class EjectWatch {
  readonly #model: Pick<GuestModel, 'expectEjects' | 'ignoreEjects'>;
  readonly #log: (line: string) => void;
  #watcher: AbortSignal | undefined;

  constructor(model: Pick<GuestModel, 'expectEjects' | 'ignoreEjects'>, log: (line: string) => void) {
    this.#model = model;
    this.#log = log;
  }

  /** @param over what a former process expected stays expected until then, for whoever comes back for it */
  goOn(over: AbortSignal): void {
    this.#watch(over);
  }

  /** @param closed aborted when the connection has ended; then nothing is expected on its behalf */
  async expect(passedOn: number, closed: AbortSignal): Promise<number> {
    if (closed.aborted) return 0;
    if (this.#watcher !== closed) {
      this.#watch(closed);
      this.#log('the guest is expected to eject');
    }
    const slots = await this.#model.expectEjects(passedOn);
    if (slots !== 0) this.#log(`the guest has ejected the slots 0x${slots.toString(16)}`);
    return slots;
  }

  #watch(over: AbortSignal): void {
    this.#watcher = over;
    over.addEventListener('abort', () => void this.#leave(over), { once: true });
  }

  async #leave(watcher: AbortSignal): Promise<void> {
    if (this.#watcher !== watcher) return;
    this.#watcher = undefined;
    this.#log('no eject is expected any more');
    try {
      await this.#model.ignoreEjects();
    } catch (error) {
      this.#log(`the guest's ejects still come here: ${describeError(error)}`);
    }
  }
}
