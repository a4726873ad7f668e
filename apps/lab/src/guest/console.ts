import type { AgentCall, AgentClient } from '../agent/client.js';
import { LabError, LabErrorCode } from '../errors.js';

/** Characters of a console that are kept. */
const keptCharacters = 4 * 1024 * 1024;

/** What is at the other end: a socket on which the agent listens for a guest's QEMU, or a terminal of dom0. */
export type ConsoleSource = { readonly op: 'listen' | 'tty'; readonly path: string };

/** One console of a guest, as the agent in dom0 passes it on. */
export class GuestConsole {
  readonly #call: AgentCall;
  /** Resolves when the agent listens, or has opened the terminal. */
  readonly opened: Promise<void>;
  #text = '';
  #failure: LabError | undefined;

  constructor(agent: AgentClient, source: ConsoleSource) {
    let settle: { resolve: () => void; reject: (error: LabError) => void };
    this.opened = new Promise((resolve, reject) => (settle = { resolve, reject }));
    this.opened.catch(() => undefined);
    this.#call = agent.call(
      (event, body) => {
        if (event.type === 'listening' || event.type === 'accepted') settle.resolve();
        if (event.type === 'data') this.#text = (this.#text + body.toString('latin1')).slice(-keptCharacters);
        if (event.type === 'failed') {
          settle.reject(new LabError(LabErrorCode.guestFailed, `No console: ${event.message ?? 'no reason given'}.`));
        }
      },
      (error) => {
        this.#failure = error;
        settle.reject(error);
      },
    );
    this.#call.send(source);
  }

  /** All it printed, one character per byte. Throws what the agent failed with. */
  get text(): string {
    if (this.#failure) throw this.#failure;
    return this.#text;
  }

  /** All it printed, even after the agent failed. */
  get lastText(): string {
    return this.#text;
  }

  /** Types into it. */
  send(text: string): void {
    this.#call.send({ op: 'send' }, Buffer.from(text));
  }

  close(): void {
    this.#call.send({ op: 'hangup' });
    this.#call.close();
  }
}
