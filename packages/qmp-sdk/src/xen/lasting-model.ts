import type { AttachedFunction, FunctionView, ModelClient, ModelStatus } from './model-client.js';
import { ModelGoneError } from './model-connection.js';

/** Of one call; who is killed more often is not being restarted but fought. */
const MAX_DEATHS = 3;

/**
 * A connection that outlives the process at its other end: what a killed one was asked is asked of the one that goes
 * on. All but an attach, which that one has undone.
 */
export class LastingModel implements ModelClient {
  readonly #connect: () => Promise<ModelClient | null>;
  #model: ModelClient;
  #isClosed = false;

  /** @param connect waits for the process that goes on; null if none does */
  constructor(model: ModelClient, connect: () => Promise<ModelClient | null>) {
    this.#model = model;
    this.#connect = connect;
  }

  /** @throws what `ModelClient.attach` throws; by then nothing of the device is the guest's */
  async attach(options: Parameters<ModelClient['attach']>[0]): Promise<AttachedFunction> {
    try {
      return await this.#model.attach(options);
    } catch (error) {
      await this.#reconnect(error);
      throw error;
    }
  }

  detach(sbdf: string): Promise<void> {
    return this.#ask((model) => model.detach(sbdf));
  }

  view(sbdf: string): Promise<FunctionView> {
    return this.#ask((model) => model.view(sbdf));
  }

  status(): Promise<ModelStatus> {
    return this.#ask((model) => model.status());
  }

  expectEjects(passedOn: number): Promise<number> {
    return this.#ask((model) => model.expectEjects(passedOn));
  }

  async shutdown(): Promise<void> {
    try {
      await this.#ask((model) => model.shutdown());
    } catch (error) {
      // None goes on: it has ended, which is what was asked for.
      if (!(error instanceof ModelGoneError)) throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#model.close();
  }

  async #ask<T>(question: (model: ModelClient) => Promise<T>): Promise<T> {
    for (let deaths = 1; ; deaths++) {
      try {
        return await question(this.#model);
      } catch (error) {
        if (deaths > MAX_DEATHS || !(await this.#reconnect(error))) throw error;
      }
    }
  }

  /** @returns whether there is another process to ask */
  async #reconnect(error: unknown): Promise<boolean> {
    if (!(error instanceof ModelGoneError) || this.#isClosed) return false;
    const model = await this.#connect();
    if (model === null) return false;
    this.#model = model;
    if (this.#isClosed) model.close();
    return !this.#isClosed;
  }
}
