import {
  QmpAbortedError,
  QmpConnectError,
  QmpError,
  QmpMonitorBusyError,
  QmpTimeoutError,
  type ConnectPhase,
} from './errors.js';
import type { CloseInfo, Greeting, ResolvedOptions } from './options.js';
import { QmpSession } from './session.js';
import { Subscriptions } from './subscriptions.js';
import type { QmpTransport } from './transport.js';

/** A session that is ready for commands, and what came out of its beginning. */
export interface Handshake {
  readonly session: QmpSession;
  readonly subscriptions: Subscriptions & { readonly lost: number };
  readonly greeting: Greeting;
  readonly oobEnabled: boolean;
  readonly closed: Promise<CloseInfo>;
}

/** Waits for the greeting and negotiates; events may come before, between and after. */
export async function greet(transport: QmpTransport, options: ResolvedOptions): Promise<Handshake> {
  const attempt = new Attempt(transport, options);
  try {
    return await attempt.run();
  } catch (error) {
    attempt.session.destroy(error);
    throw error;
  }
}

class CountingSubscriptions extends Subscriptions {
  lost = 0;
}

class Attempt {
  readonly session: QmpSession;
  readonly #transport: QmpTransport;
  readonly #options: ResolvedOptions;
  readonly #subscriptions = new CountingSubscriptions();
  readonly #closed: Promise<CloseInfo>;
  readonly #greeted: Promise<unknown>;
  #phase: ConnectPhase = 'greeting';

  constructor(transport: QmpTransport, options: ResolvedOptions) {
    this.#transport = transport;
    this.#options = options;
    let close: (info: CloseInfo) => void = () => undefined;
    let greet: (greeting: unknown) => void = () => undefined;
    this.#closed = new Promise((resolve) => (close = resolve));
    this.#greeted = new Promise((resolve) => (greet = resolve));
    this.session = new QmpSession(transport, options, {
      greeting: greet,
      event: (event) => (this.#subscriptions.lost += this.#subscriptions.publish(event)),
      closed: (info) => {
        this.#subscriptions.close(info);
        close(info);
      },
    });
  }

  async run(): Promise<Handshake> {
    const { signal } = this.#options;
    if (signal?.aborted === true) throw new QmpAbortedError({ command: 'connect', sent: false }, signal.reason);
    const startedAt = performance.now();
    this.session.open();
    const greeting = checkGreeting(await this.#limited(this.#greeted));
    this.#phase = 'negotiate';
    const remainingMs = Math.max(1, Math.ceil(this.#options.connectTimeoutMs - (performance.now() - startedAt)));
    const oobEnabled = this.#wantsOob(greeting);
    await this.#negotiate(oobEnabled, remainingMs);
    return { session: this.session, subscriptions: this.#subscriptions, greeting, oobEnabled, closed: this.#closed };
  }

  #wantsOob(greeting: Greeting): boolean {
    const offered = greeting.capabilities.includes('oob');
    if (this.#options.oob !== 'require' || offered) return this.#options.oob !== 'never' && offered;
    throw new QmpConnectError('negotiate', `${this.#transport.description} does not offer out-of-band execution`, {
      next: "Connect with oob: 'auto', or attach the monitor to a socket: other character devices have no OOB.",
    });
  }

  async #negotiate(oob: boolean, timeoutMs: number): Promise<void> {
    const { signal } = this.#options;
    const args = oob ? { enable: ['oob'] } : undefined;
    try {
      const options = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
      await this.session.negotiate(args, options);
    } catch (cause) {
      if (cause instanceof QmpAbortedError)
        throw new QmpAbortedError({ command: 'connect', sent: true }, signal?.reason);
      const why = cause instanceof QmpTimeoutError ? 'is not answered' : `failed: ${(cause as Error).message}`;
      throw new QmpConnectError('negotiate', `${this.#transport.description}: the negotiation ${why}`, {
        next: "Try oob: 'never'; if that fails too, QEMU may be stopped.",
        cause,
      });
    }
  }

  /** `promise`, or what comes first: the end of the connection, the caller's signal, the deadline. */
  async #limited<T>(promise: Promise<T>): Promise<T> {
    const { signal, connectTimeoutMs } = this.#options;
    let release = (): void => undefined;
    const interrupted = new Promise<never>((_, reject) => {
      const abort = (): void => reject(new QmpAbortedError({ command: 'connect', sent: false }, signal?.reason));
      signal?.addEventListener('abort', abort, { once: true });
      const timer = setTimeout(() => {
        this.#busyError().then(reject, reject);
      }, connectTimeoutMs);
      release = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      this.#closed.then((info) => reject(this.#closedError(info)), reject);
    });
    try {
      return await Promise.race([promise, interrupted]);
    } finally {
      release();
    }
  }

  async #busyError(): Promise<QmpError> {
    const { description, holder } = this.#transport;
    const holderPid = await holder?.().catch(() => undefined);
    return new QmpMonitorBusyError(description, this.#options.connectTimeoutMs, holderPid);
  }

  #closedError(info: CloseInfo): QmpConnectError {
    const { description } = this.#transport;
    const message = `${description}: no QMP greeting, ${info.error.message}`;
    const next = 'Check that QEMU runs and that this is a QMP monitor (-qmp, or -mon with mode=control).';
    return new QmpConnectError(this.#phase, message, { next, cause: info.error });
  }
}

function checkGreeting(greeting: unknown): Greeting {
  const { version, capabilities } = (greeting ?? {}) as { version?: Greeting['version']; capabilities?: unknown };
  const { major, minor, micro } = version?.qemu ?? {};
  const numbers = [major, minor, micro].every((part) => Number.isInteger(part));
  if (!numbers || !Array.isArray(capabilities)) {
    throw new QmpConnectError('greeting', 'the greeting names no QEMU version or capabilities', {
      next: 'Check that this is a QMP monitor of QEMU.',
    });
  }
  const { qemu, package: packageName } = version as Greeting['version'];
  return {
    version: { qemu, package: typeof packageName === 'string' ? packageName : '' },
    capabilities: capabilities.filter((name): name is string => typeof name === 'string'),
  };
}
