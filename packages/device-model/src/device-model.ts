import { Worker } from 'node:worker_threads';
import { WakeEvent, type LatencyHistogram } from '@xenpt/xen-bindings';
import { deferred } from './deferred.js';
import { DeviceModelError, messageOf } from './errors.js';
import type { AttachedFunction, AttachRequest } from './guest-model.js';
import type { PlacementOptions } from './placement.js';
import type { PlainError, WorkerCall, WorkerCalls, WorkerMessage, WorkerMethod, WorkerOptions } from './protocol.js';
import { LogLimiter } from './report.js';
import type { FunctionReport } from './served-function.js';
import { Statistics, type Counts } from './statistics.js';
import { describeActivity, describeRequest, Watchdog, type Waiting, type WaitingNow } from './watchdog.js';

/** Ends another thread's wait; xen-bindings' WakeEvent. */
export interface WakeSource {
  readonly port: number;
  wake(): void;
  close(): void;
}

export interface DeviceModelOptions {
  readonly domid: number;
  /** Virtual processors of the guest, 1 to 128. */
  readonly vcpuCount: number;
  /** Where the guest must not place BARs. */
  readonly placement?: PlacementOptions;
  /**
   * Where the state of the model is kept: two files, this and another letter, in a folder that only we may enter. If a
   * process that was killed has left one, this model goes on with it: with its ioreq server, its functions, and the
   * request that was open. Without it nobody can go on.
   */
  readonly statePath?: string;
  /** Lines for the operator; already thinned out. */
  readonly onLog?: (line: string) => void;
  /** For each call and for the start. Default 30 s: a detach of large BARs takes Xen a while. */
  readonly deadlineMs?: number;
  /** The worker's script, for tests and bundlers. */
  readonly workerUrl?: URL;
  /** For tests on hosts without the native addon. */
  readonly wakeEvent?: WakeSource;
}

/** Why the worker ended. */
export interface DeviceModelExit {
  readonly reason: 'closed' | 'domain-died' | 'failed';
  /** Only of `failed`. */
  readonly error: Error | null;
}

/** Everything since the process was started. */
export interface ModelStatus extends Counts {
  /** Host functions attached, `0000:01:00.0`. */
  readonly devices: readonly string[];
  readonly latency: LatencyHistogram;
  /** What is being answered, if it is not done at once. */
  readonly waiting: Waiting | null;
  /** How many requests and calls have had no answer for 2 s. */
  readonly late: number;
}

const defaultDeadlineMs = 30_000;

/**
 * Of the thread that serves, which allocates nothing on the way of a request: three times V8's semi-space. Said here
 * and not by `--max-semi-space-size`, with which V8 rejects the compiled code that Node carries of its own modules.
 */
const YOUNG_GENERATION_MB = 3;

interface PendingCall {
  readonly method: WorkerMethod;
  readonly sinceMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * The device model of one guest: an ioreq server in Xen and the thread that serves it. This class lives on the main
 * thread and passes calls to that thread; none of them waits longer than the deadline.
 */
export class DeviceModel implements AsyncDisposable {
  readonly domid: number;
  /** Resolves, never rejects, when the thread has ended for whatever reason. */
  readonly onExit: Promise<DeviceModelExit>;
  readonly #worker: Worker;
  readonly #wake: WakeSource;
  readonly #deadlineMs: number;
  readonly #onLog: (line: string) => void;
  readonly #pending = new Map<number, PendingCall>();
  readonly #statistics = new Statistics();
  readonly #watchdog: Watchdog;
  #devices: readonly string[] = [];
  readonly #ready = deferred<number>();
  readonly #exit = deferred<DeviceModelExit>();
  #serverId = -1;
  #nextId = 1;
  #ending: DeviceModelExit['reason'] | null = null;
  #failure: Error | null = null;
  #ended = false;

  private constructor(options: DeviceModelOptions, wake: WakeSource) {
    this.domid = options.domid;
    this.onExit = this.#exit.promise;
    this.#deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
    this.#onLog = options.onLog ?? (() => {});
    this.#wake = wake;
    // What a guest can bring about, however rarely, has its share of the log.
    const log = new LogLimiter(this.#onLog, () => performance.now());
    this.#watchdog = new Watchdog(
      () => this.#waiting(),
      (text) => log.report('late', text),
    );
    const workerData: WorkerOptions = {
      domid: options.domid,
      vcpuCount: options.vcpuCount,
      wakePort: wake.port,
      statistics: this.#statistics.buffer,
      ...(options.placement === undefined ? {} : { placement: options.placement }),
      ...(options.statePath === undefined ? {} : { statePath: options.statePath }),
    };
    this.#worker = new Worker(options.workerUrl ?? new URL('./worker.js', import.meta.url), {
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      name: `xenpt domain ${options.domid}`,
    });
    this.#worker.on('message', (message: WorkerMessage) => this.#receive(message));
    this.#worker.on('error', (error) => (this.#failure ??= error));
    this.#worker.on('exit', (code) => this.#finish(code));
  }

  /**
   * Creates the ioreq server and starts serving it.
   *
   * @throws DeviceModelError DEVICE_MODEL_START_FAILED, with what Xen or the bindings said as its cause
   */
  static async start(options: DeviceModelOptions): Promise<DeviceModel> {
    const model = new DeviceModel(options, options.wakeEvent ?? openWakeEvent(options.domid));
    const timer = setTimeout(() => {
      model.#ready.reject(new Error(`no answer in ${model.#deadlineMs} ms`));
    }, model.#deadlineMs);
    try {
      model.#serverId = await model.#ready.promise;
      model.#watchdog.start();
      return model;
    } catch (cause) {
      await model.terminate();
      throw startFailed(options.domid, cause);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The ioreq server's number in Xen; whoever ends this process by force needs it to destroy the server. */
  get serverId(): number {
    return this.#serverId;
  }

  /** Gives the guest a function. @throws DeviceModelError, or an Error with the `code` of what refused */
  attach(request: AttachRequest): Promise<AttachedFunction> {
    return this.#call('attach', request);
  }

  /** @throws DeviceModelError DEVICE_MODEL_RELEASE_INCOMPLETE with `left`; then it may be called again */
  async detach(sbdf: string): Promise<void> {
    await this.#call('detach', sbdf);
  }

  view(sbdf: string): Promise<FunctionReport> {
    return this.#call('view', sbdf);
  }

  /** Known on this thread, also while the other one hangs. @throws DeviceModelError when it has ended */
  status(): ModelStatus {
    if (this.#ended) throw this.#goneError();
    const { counts, meter } = this.#statistics;
    const waiting = this.#waiting();
    return {
      ...counts,
      devices: this.#devices,
      latency: meter.latency(),
      waiting: waiting && { what: waiting.what, ageMs: waiting.ageMs, waitsFor: waiting.waitsFor },
      late: this.#watchdog.late,
    };
  }

  /** A request of the guest before a call of ours: the guest stands still. */
  #waiting(): WaitingNow | null {
    const waitsFor = describeActivity(this.#statistics.activity);
    const open = this.#statistics.meter.open();
    if (open !== null) {
      const { vcpu, request, ageMs, sinceNs } = open;
      return { key: `request ${sinceNs}`, what: describeRequest(vcpu, request), ageMs, waitsFor };
    }
    const [first] = this.#pending;
    if (first === undefined) return null;
    const [id, { method, sinceMs }] = first;
    return { key: `call ${id}`, what: method, ageMs: performance.now() - sinceMs, waitsFor };
  }

  /**
   * From now on the guest's ACPI ejects come to us, until `ignoreEjects`: an ejected function is gone for the guest at
   * once, and stays known here until `detach`. May be called again and again.
   *
   * @param passedOn slots whose ejects QEMU has been given, one bit each
   * @returns the slots that the guest has ejected and QEMU does not know of
   */
  expectEjects(passedOn: number): Promise<number> {
    return this.#call('expectEjects', passedOn);
  }

  /** The guest's ejects go to QEMU again; those that QEMU was not given are kept for the next `expectEjects`. */
  async ignoreEjects(): Promise<void> {
    await this.#call('ignoreEjects', null);
  }

  /** Lets go of everything of a domain that is gone, without a call to it. Ends the model. */
  domainDied(): Promise<void> {
    return this.#end('domainDied', 'domain-died');
  }

  /**
   * Releases every function, destroys the server, ends the thread. Twice is fine.
   *
   * @throws DeviceModelError DEVICE_MODEL_RELEASE_INCOMPLETE with what is left; the thread has ended all the same
   */
  close(): Promise<void> {
    return this.#end('stop', 'closed');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Ends the thread and releases nothing, as a SIGKILL of the process would. A process that is about to end has to call
   * it, if the thread has not ended: Node waits for threads, and this one waits for its guest.
   */
  async terminate(): Promise<void> {
    if (this.#ended) return;
    const ended = this.#worker.terminate();
    // It hears of it when its wait ends.
    this.#wake.wake();
    await ended;
  }

  async #end(method: 'stop' | 'domainDied', reason: DeviceModelExit['reason']): Promise<void> {
    if (this.#ended) return;
    if (this.#ending !== null) {
      await this.onExit;
      return;
    }
    this.#ending = reason;
    try {
      await this.#call(method, null);
    } finally {
      const timer = setTimeout(() => void this.terminate(), this.#deadlineMs);
      await this.onExit;
      clearTimeout(timer);
    }
  }

  #call<M extends WorkerMethod>(method: M, argument: WorkerCalls[M]['takes']): Promise<WorkerCalls[M]['gives']> {
    if (this.#ended) return Promise.reject(this.#goneError());
    const { promise, resolve, reject } = deferred<unknown>();
    const id = this.#nextId;
    this.#nextId += 1;
    const timer = setTimeout(() => {
      this.#pending.delete(id);
      reject(
        new DeviceModelError(
          'DEVICE_MODEL_DEADLINE',
          `${method} had no answer in ${this.#deadlineMs} ms; the device model of domain ${this.domid} may hang`,
        ),
      );
    }, this.#deadlineMs);
    this.#pending.set(id, { method, sinceMs: performance.now(), resolve, reject, timer });
    this.#worker.postMessage({ id, method, argument } satisfies WorkerCall<M>);
    this.#wake.wake();
    return promise as Promise<WorkerCalls[M]['gives']>;
  }

  #receive(message: WorkerMessage): void {
    switch (message.type) {
      case 'ready':
        return this.#ready.resolve(message.serverId);
      case 'devices':
        this.#devices = message.sbdfs;
        return;
      case 'log':
        return this.#onLog(message.text);
      case 'fatal':
        this.#failure = fromPlainError(message.error);
        return;
      case 'result':
        return this.#take(message.id)?.resolve(message.value);
      case 'failure':
        return this.#take(message.id)?.reject(fromPlainError(message.error));
    }
  }

  #take(id: number): PendingCall | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    return pending;
  }

  #finish(code: number): void {
    this.#ended = true;
    this.#watchdog.stop();
    if (this.#ending === null) this.#failure ??= new Error(`its thread ended with code ${code}`);
    const gone = this.#goneError();
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(gone);
    this.#ready.reject(this.#failure ?? gone);
    this.#wake.close();
    const failed = this.#failure !== null;
    this.#exit.resolve({ reason: failed ? 'failed' : (this.#ending ?? 'failed'), error: this.#failure });
  }

  #goneError(): DeviceModelError {
    if (this.#failure === null) {
      return new DeviceModelError('DEVICE_MODEL_CLOSED', `the device model of domain ${this.domid} is closed`);
    }
    const text = `the device model of domain ${this.domid} died: ${this.#failure.message}`;
    return new DeviceModelError('DEVICE_MODEL_WORKER_DIED', text, { cause: this.#failure });
  }
}

function openWakeEvent(domid: number): WakeSource {
  try {
    return WakeEvent.open();
  } catch (cause) {
    throw startFailed(domid, cause);
  }
}

function startFailed(domid: number, cause: unknown): DeviceModelError {
  const text = `device model of domain ${domid}: ${messageOf(cause)}`;
  return new DeviceModelError('DEVICE_MODEL_START_FAILED', text, { cause });
}

/** Our own class again where it was ours; otherwise an Error that keeps name and code. */
function fromPlainError({ name, message, code, step, left }: PlainError): Error {
  if (isOwnCode(code)) return new DeviceModelError(code, message, { left, ...(step === null ? {} : { step }) });
  return Object.assign(new Error(message), { name }, code === null ? {} : { code });
}

function isOwnCode(code: string | null): code is DeviceModelError['code'] {
  return code !== null && code.startsWith('DEVICE_MODEL_');
}
