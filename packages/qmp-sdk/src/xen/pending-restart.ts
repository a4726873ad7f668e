import { existsSync } from 'node:fs';
import { domainName } from './domains.js';
import { describeError } from './errors.js';
import type { DomainInfo } from './host.js';
import type { DomainResources } from './release-after-death.js';
import { recordRestart, removeRestart } from './restart-record.js';
import type { RestartOptions } from './restart.js';
import { runFile } from './run-dir.js';

/** `giveAgain` of this SDK, for one guest. */
export type GiveAgain = (handle: string, options: RestartOptions) => Promise<unknown>;

export interface PendingRestartOptions extends DomainResources {
  /** Missing: nobody gives anything again. */
  readonly giveAgain?: GiveAgain;
  /** Whether the toolstack starts a domain again that shut down with this code (SHUTDOWN_* of xen/public/sched.h). */
  readonly isRestarted?: (code: number) => boolean;
  readonly log: (line: string) => void;
}

/**
 * What the devices of a guest are kept for between two domains. A domain that is destroyed while it runs does not come
 * back; one that shuts down may, and from then on it is waited for.
 */
export class PendingRestart {
  readonly #options: PendingRestartOptions;
  readonly #over = new AbortController();
  readonly #released: Promise<void>;
  #release: () => void = () => {};
  #giving: Promise<unknown> | undefined;

  constructor(options: PendingRestartOptions) {
    this.#options = options;
    this.#released = new Promise((resolve) => (this.#release = resolve));
  }

  /** Looks at the domain as it is now; called at each event. */
  look({ flags, shutdownCode }: DomainInfo): void {
    const { domid, handle, runDir, store, log, isRestarted } = this.#options;
    if (this.#giving || !flags.shutdown || isRestarted?.(shutdownCode) !== true) return;
    try {
      if (!recordRestart(runDir, { domid, handle, name: domainName(store, domid) })) return;
    } catch (error) {
      log(`what the domain has is lost with it: ${describeError(error)}`);
      return;
    }
    log(`domain ${domid} restarts`);
    this.resume();
  }

  /** Goes on with a restart that is on disk, if there is one. */
  resume(): void {
    const { handle, runDir, giveAgain, log } = this.#options;
    if (!existsSync(runFile.restart(runDir, handle))) return;
    this.#giving = giveAgain?.(handle, { released: this.#released, signal: this.#over.signal, log }).catch(
      (error: unknown) => log(`the devices are not given again: ${describeError(error)}`),
    );
  }

  /** The devices are free: the new domain gets them. Resolves when it has them, or does not come. */
  async finish(): Promise<void> {
    this.#release();
    await this.#giving;
  }

  /** The guest has nothing any more that could be given again. */
  async cancel(): Promise<void> {
    this.#over.abort();
    this.#release();
    if (!this.#giving) return;
    await this.#giving;
    removeRestart(this.#options.runDir, this.#options.handle);
  }
}
