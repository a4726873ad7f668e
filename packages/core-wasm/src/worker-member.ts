import { wrap, type Remote } from 'comlink';
import { CoreError } from './errors.js';
import { decodeError } from './worker-errors.js';
import { startThread, type HostedThread, type ThreadEnd } from './worker-host.js';
import { WAKE, type ScanTask, type TaskReply, type WorkerApi } from './worker-protocol.js';

export interface MemberEvents {
  /** The worker has a batch for a consumer that waits for a message. */
  onWake(): void;
  /** It died; everything pending has been rejected. */
  onDeath(member: PoolMember): void;
}

/** One worker. comlink never settles a call whose worker died: this does. */
export class PoolMember {
  readonly name: string;
  /** Resolves when the worker can work; rejects when it dies before. */
  readonly ready: Promise<void>;
  readonly #thread: HostedThread;
  readonly #api: Remote<WorkerApi>;
  readonly #events: MemberEvents;
  readonly #pending = new Set<(reason: CoreError) => void>();
  #isReady = false;
  #death: CoreError | undefined;

  constructor(code: string, name: string, events: MemberEvents) {
    this.name = name;
    this.#events = events;
    this.#thread = startThread(code, name, (end) => this.#die(end));
    this.#thread.port.addEventListener('message', ({ data }) => {
      if (data === WAKE) events.onWake();
    });
    this.#api = wrap<WorkerApi>(this.#thread.port);
    this.ready = this.#call(() => this.#api.warmUp()).then(() => void (this.#isReady = true));
    // Somebody else may look at it later, or nobody: that is no unhandled rejection.
    this.ready.catch(() => undefined);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get isDead(): boolean {
    return this.#death !== undefined;
  }

  /**
   * Resolves when the worker finds no more to do.
   *
   * @throws what the scan threw in the worker; CoreError `CORE_WORKER_DIED` or `CORE_POOL_CLOSED`
   */
  run(task: ScanTask): Promise<void> {
    return this.#call(() => this.#api.run(task));
  }

  /** Ends the thread; what is pending is rejected with the reason. */
  async terminate(reason: CoreError): Promise<void> {
    this.#rejectPending(reason);
    await this.#thread.terminate();
  }

  #call(ask: () => Promise<TaskReply>): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#death) return reject(this.#death);
      this.#pending.add(reject);
      ask()
        .then((failure) => (failure ? reject(decodeError(failure)) : resolve()), reject)
        .finally(() => this.#pending.delete(reject));
    });
  }

  #die({ what, cause }: ThreadEnd): void {
    const when = this.#isReady ? 'died' : 'could not be started';
    const next = this.#isReady
      ? 'run the operation again, another worker takes its place'
      : 'see the cause; a page must allow blob: in its worker-src policy';
    const options = cause === undefined ? {} : { cause };
    const error = new CoreError('CORE_WORKER_DIED', `${this.name} ${when}, ${what}: ${next}`, options);
    this.#rejectPending(error);
    void this.#thread.terminate();
    this.#events.onDeath(this);
  }

  #rejectPending(reason: CoreError): void {
    this.#death = reason;
    for (const reject of [...this.#pending]) reject(reason);
    this.#pending.clear();
  }
}
