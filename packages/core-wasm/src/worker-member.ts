import { wrap, type Remote } from 'comlink';
import { CoreError } from './errors.js';
import { Doorbell } from './worker-doorbell.js';
import { decodeError } from './worker-errors.js';
import { Introduced } from './worker-introduced.js';
import { startThread, type HostedThread, type ThreadEnd } from './worker-host.js';
import { WAKE, type ScanFailure, type SharedCore, type WorkerApi } from './worker-protocol.js';
import type { Seat } from './worker-seats.js';

export interface MemberEvents {
  /** The worker has done something for which somebody waits by message. */
  onWake(): void;
  onFailure(scanId: number, reason: unknown): void;
  /** It died. */
  onDeath(member: PoolMember, reason: CoreError): void;
}

export interface MemberPlace {
  /** The worker's place in each scan. */
  readonly thread: number;
  readonly threadCount: number;
  readonly seats: readonly Seat[];
}

/** A worker remembers the memories that scans use, and so many that none uses any more. */
const REMEMBERED_CORES = 4;

/** One worker. comlink never settles a call whose worker died: this does. */
export class PoolMember {
  readonly name: string;
  /** Resolves when the worker can work; rejects when it dies before. */
  readonly ready: Promise<void>;
  readonly #thread: HostedThread;
  readonly #api: Remote<WorkerApi>;
  readonly #events: MemberEvents;
  readonly #bell = new Doorbell();
  readonly #cores = new Introduced();
  readonly #counts = new Introduced();
  #rejectReady: (reason: CoreError) => void = () => undefined;
  #isReady = false;
  #death: CoreError | undefined;

  constructor(code: string, name: string, place: MemberPlace, events: MemberEvents) {
    this.name = name;
    this.#events = events;
    const { thread, threadCount, seats } = place;
    const greeting = { doorbell: this.#bell.buffer, thread, threadCount };
    this.#thread = startThread(code, name, greeting, (end) => this.#die(end));
    this.#thread.port.addEventListener('message', ({ data }) => this.#receive(data));
    this.#api = wrap<WorkerApi>(this.#thread.port);
    for (const seat of seats) this.introduceSeat(seat);
    this.ready = this.#warmUp();
    // Somebody else may look at it later, or nobody: that is no unhandled rejection.
    this.ready.catch(() => undefined);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get death(): CoreError | undefined {
    return this.#death;
  }

  introduceSeat({ index, control }: Seat): void {
    this.#tell((api) => api.introduceSeat(index, control.buffer));
  }

  /**
   * Before the worker is called to a scan over a core's memory; `leave` follows.
   *
   * @throws (rejects) it cannot be sent there
   */
  async join(coreId: number, core: SharedCore): Promise<void> {
    if (!this.#cores.join(coreId)) return;
    const introduced = this.#api.introduceCore(coreId, core);
    this.ring();
    await introduced;
  }

  /** The scan is over. */
  leave(coreId: number): void {
    for (const id of this.#cores.leave(coreId, REMEMBERED_CORES)) this.#tell((api) => api.forgetCore(id));
  }

  /** The same for the counts of a histogram. */
  joinCounts(countsId: number, counts: SharedArrayBuffer): void {
    if (this.#counts.join(countsId)) this.#tell((api) => api.introduceCounts(countsId, counts));
  }

  /** @param usedAgain whether they will be used again: they are remembered until others are */
  leaveCounts(countsId: number, usedAgain: boolean): void {
    for (const id of this.#counts.leave(countsId, usedAgain ? 1 : 0)) this.#tell((api) => api.forgetCounts(id));
  }

  /** A scan has called it, or will when it is prepared. */
  ring(): void {
    if (this.#bell.ring() && !this.#death) void this.#api.attend();
  }

  /** Ends the thread. */
  async terminate(reason: CoreError): Promise<void> {
    this.#death ??= reason;
    this.#rejectReady(this.#death);
    await this.#thread.terminate();
  }

  #warmUp(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#rejectReady = reject;
      this.#api.warmUp().then((failure) => {
        this.#isReady = failure === undefined;
        if (failure) reject(decodeError(failure));
        else resolve();
      }, reject);
    });
  }

  /** What needs no answer. A dead worker's port takes nothing more. */
  #tell(say: (api: Remote<WorkerApi>) => Promise<void>): void {
    if (this.#death) return;
    void say(this.#api);
    // It may sleep where messages do not reach it.
    this.ring();
  }

  #receive(data: unknown): void {
    if (data === WAKE) this.#events.onWake();
    if (typeof data !== 'object' || data === null || !('scanId' in data)) return;
    const { scanId, failure } = data as ScanFailure;
    this.#events.onFailure(scanId, decodeError(failure));
  }

  #die({ what, cause }: ThreadEnd): void {
    const when = this.#isReady ? 'died' : 'could not be started';
    const next = this.#isReady
      ? 'run the operation again, another worker takes its place'
      : 'see the cause; a page must allow blob: in its worker-src policy';
    const options = cause === undefined ? {} : { cause };
    const error = new CoreError('CORE_WORKER_DIED', `${this.name} ${when}, ${what}: ${next}`, options);
    this.#death = error;
    this.#rejectReady(error);
    void this.#thread.terminate();
    this.#events.onDeath(this, error);
  }
}
