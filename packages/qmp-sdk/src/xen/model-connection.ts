import { existsSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { describeError, errnoName, XenErrorCode, XenOperationError } from './errors.js';
import { LineSplitter } from './json-lines.js';
import type { AttachedFunction, FunctionView, ModelClient, ModelMethod, ModelStatus } from './model-client.js';
import { describeProcess, isStopped, type ModelProcess, stoppedNextStep } from './model-state.js';
import {
  decodeAttached,
  decodeSlots,
  decodeStatus,
  decodeView,
  MAX_REPLY_BYTES,
  type ModelReply,
  parseReply,
  type WireError,
} from './model-protocol.js';

/** Attach and detach wait for hypercalls that map and reset; everything else answers at once. */
const DEADLINE_MS: Record<ModelMethod, number> = {
  attach: 60_000,
  detach: 60_000,
  view: 10_000,
  status: 10_000,
  expectEjects: 10_000,
  shutdown: 30_000,
};

/** A stopped process is told from one that is slow; one that is stopped for a moment only is waited for. */
const LOOK_INTERVAL_MS = 500;
const STOPPED_LOOKS = 4;

/** The process has ended while it was asked. */
export class ModelGoneError extends XenOperationError {}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** What the kernel says of the process that listens; null when that is not known. */
export type LookAtProcess = () => ModelProcess | null;

/** Connects to a control socket; null if nobody listens there. */
export async function connectModel(
  socketPath: string,
  look: LookAtProcess = () => null,
): Promise<ModelClient | null> {
  // Whoever waits for a process to start asks often, and what an error costs that process would start in.
  if (!existsSync(socketPath)) return null;
  const socket = createConnection(socketPath);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
  } catch (error) {
    const name = errnoName(error);
    if (name === 'ENOENT' || name === 'ECONNREFUSED') return null;
    throw error;
  }
  return new ModelConnection(socket, look);
}

class ModelConnection implements ModelClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiter>();
  readonly #splitter = new LineSplitter(MAX_REPLY_BYTES);
  readonly #closed: Promise<void>;
  readonly #look: LookAtProcess;
  #lastId = 0;

  constructor(socket: Socket, look: LookAtProcess) {
    this.#socket = socket;
    this.#look = look;
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#failAll(modelGone('the connection was closed'));
        resolve();
      });
    });
    socket.on('error', (error) => this.#failAll(modelGone(error.message)));
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  async attach(options: Parameters<ModelClient['attach']>[0]): Promise<AttachedFunction> {
    return decodeAttached(await this.#call('attach', options));
  }

  async detach(sbdf: string): Promise<void> {
    await this.#call('detach', { sbdf });
  }

  async view(sbdf: string): Promise<FunctionView> {
    return decodeView(await this.#call('view', { sbdf }));
  }

  async status(): Promise<ModelStatus> {
    return decodeStatus(await this.#call('status', {}));
  }

  async expectEjects(passedOn: number): Promise<number> {
    return decodeSlots(await this.#call('expectEjects', { passedOn }));
  }

  async shutdown(): Promise<void> {
    await this.#call('shutdown', {});
    await this.#closed;
  }

  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #call(method: ModelMethod, params: object): Promise<unknown> {
    if (this.#socket.destroyed) throw modelGone('the connection is closed');
    const id = ++this.#lastId;
    let timer: NodeJS.Timeout | undefined;
    let looks: NodeJS.Timeout | undefined;
    try {
      return await new Promise<unknown>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        timer = setTimeout(() => reject(modelSilent(method, this.#look())), DEADLINE_MS[method]);
        looks = this.#whenStopped(reject);
        this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
      });
    } finally {
      clearTimeout(timer);
      clearInterval(looks);
      this.#waiting.delete(id);
    }
  }

  /** It cannot tell by itself. */
  #whenStopped(report: (error: Error) => void): NodeJS.Timeout {
    let stopped = 0;
    return setInterval(() => {
      const found = this.#look();
      stopped = found !== null && isStopped(found) ? stopped + 1 : 0;
      if (found !== null && stopped >= STOPPED_LOOKS) report(modelStopped(found));
    }, LOOK_INTERVAL_MS);
  }

  #receive(chunk: Buffer): void {
    try {
      for (const line of this.#splitter.push(chunk)) this.#settle(parseReply(line));
    } catch (error) {
      this.#failAll(modelGone(`it sent what is not a reply: ${describeError(error)}`));
      this.#socket.destroy();
    }
  }

  #settle(reply: ModelReply): void {
    if ('error' in reply) {
      // Without an id the model could not read a request of ours; which one does not matter, the stream is broken.
      if (reply.id === null) this.#failAll(modelRefused(reply.error));
      else this.#waiting.get(reply.id)?.reject(modelRefused(reply.error));
      return;
    }
    this.#waiting.get(reply.id)?.resolve(reply.result);
  }

  #failAll(error: Error): void {
    for (const waiter of this.#waiting.values()) waiter.reject(error);
    this.#waiting.clear();
  }
}

function modelRefused({ code, message, next }: WireError): XenOperationError {
  return new XenOperationError(XenErrorCode.modelFailed, message, {
    cause: Object.assign(new Error(message), { code }),
    next,
  });
}

function modelGone(reason: string): ModelGoneError {
  return new ModelGoneError(XenErrorCode.modelFailed, `the device model went away: ${reason}`, {
    next: 'Run it again: a device model that was killed goes on. Its log is in /var/log/xenpt.',
  });
}

function modelStopped(process: ModelProcess): XenOperationError {
  return new XenOperationError(
    XenErrorCode.modelStopped,
    `the device model does not answer; its ${describeProcess(process)}`,
    { next: stoppedNextStep(process) },
  );
}

function modelSilent(method: ModelMethod, process: ModelProcess | null): XenOperationError {
  const state = process === null ? '' : `; its ${describeProcess(process)}`;
  const kill = process === null ? '' : ` Another process goes on in its place after: kill -KILL ${process.pid}.`;
  return new XenOperationError(
    XenErrorCode.modelTimeout,
    `the device model did not answer "${method}" within ${DEADLINE_MS[method] / 1000} s${state}`,
    { next: `Look into its log in /var/log/xenpt.${kill}` },
  );
}
