import type { Duplex } from 'node:stream';
import { encodeFrame, FrameDecoder } from '../../assets/dom0/framing.mjs';
import { LabError, LabErrorCode } from '../errors.js';

/** What the agent says about one request; assets/dom0/agent.mjs lists the kinds. */
export interface AgentEvent {
  readonly type: string;
  readonly id?: number;
  readonly exitCode?: number | null;
  readonly signal?: string | null;
  readonly timedOut?: boolean;
  readonly end?: boolean;
  readonly message?: string;
  readonly errno?: string;
  readonly node?: string;
  readonly uptime?: number;
}

/** A conversation about one request: events arrive until somebody closes it. */
export interface AgentCall {
  send(head: { op: string; [field: string]: unknown }, body?: Uint8Array): void;
  close(): void;
}

interface Pending {
  onEvent(event: AgentEvent, body: Buffer): void;
  onFailure(error: LabError): void;
}

/** The lab's end of the line to the agent in dom0: many requests at once over one stream. */
export class AgentClient {
  readonly #stream: Duplex;
  readonly #pending = new Map<number, Pending>();
  readonly #describe: () => LabError;
  readonly hello: Promise<AgentEvent>;
  #greeted = false;
  #nextId = 1;
  #onRestart: (() => void) | undefined;
  #failure: LabError | undefined;

  /**
   * `describeEnd` gives the error for the stream having ended. An agent of a resumed machine has said its hello to
   * another client.
   */
  constructor(stream: Duplex, describeEnd: () => LabError, resumed = false) {
    this.#stream = stream;
    this.#describe = describeEnd;
    this.#greeted = resumed;
    const decoder = new FrameDecoder();
    this.hello = new Promise((resolve, reject) => {
      this.#pending.set(0, { onEvent: resolve, onFailure: reject });
    });
    this.hello.catch(() => undefined);
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const { head, body } of decoder.push(chunk)) this.#receive(head as AgentEvent, body);
      } catch (cause) {
        this.fail(new LabError(LabErrorCode.agentFailed, "The agent's stream cannot be understood.", { cause }));
      }
    });
    stream.on('error', () => undefined);
    stream.on('close', () => this.fail(this.#describe()));
  }

  /** Opens a conversation. `onFailure` is called at most once, after which no event comes. */
  call(onEvent: Pending['onEvent'], onFailure: Pending['onFailure']): AgentCall {
    const id = this.#nextId++;
    const failure = this.#failure;
    if (failure) {
      queueMicrotask(() => onFailure(failure));
      return { send: () => undefined, close: () => undefined };
    }
    this.#pending.set(id, { onEvent, onFailure });
    return {
      send: (head, body) => void this.#stream.write(encodeFrame({ ...head, id }, body)),
      close: () => void this.#pending.delete(id),
    };
  }

  /** A request with one answer. `deadlineMs` bounds the wait. */
  request(
    head: { op: string; [field: string]: unknown },
    body: Uint8Array | undefined,
    deadlineMs: number,
  ): Promise<{ event: AgentEvent; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => {
        clearTimeout(timer);
        call.close();
        action();
      };
      const timer = setTimeout(() => {
        const message = `The agent did not answer "${head.op}" within ${deadlineMs} ms.`;
        settle(() => reject(new LabError(LabErrorCode.agentFailed, message)));
      }, deadlineMs);
      const call = this.call(
        (event, answer) => {
          if (event.type !== 'failed') return settle(() => resolve({ event, body: answer }));
          const message = `Dom0 refused "${head.op}": ${event.message ?? 'no reason given'}.`;
          settle(() => reject(new LabError(LabErrorCode.agentFailed, message)));
        },
        (error) => settle(() => reject(error)),
      );
      call.send(head, body);
    });
  }

  /** Resolves when another agent, of the dom0 that was booted next, says its hello on the same line. */
  restarted(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRestart = resolve;
    });
  }

  /** Rejects everything pending, now and from now on. */
  fail(error: LabError): void {
    this.#failure ??= error;
    this.#failPending(this.#failure);
    this.#stream.destroy();
  }

  #failPending(error: LabError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const entry of pending) entry.onFailure(error);
  }

  #receive(event: AgentEvent, body: Buffer): void {
    if (event.type === 'hello') return this.#greet(event);
    this.#pending.get(event.id ?? -1)?.onEvent(event, body);
  }

  #greet(event: AgentEvent): void {
    if (this.#greeted) {
      this.#onRestart?.();
      return this.#failPending(
        new LabError(LabErrorCode.agentFailed, 'The agent in dom0 died; it was started again.'),
      );
    }
    this.#greeted = true;
    const greeting = this.#pending.get(0);
    this.#pending.delete(0);
    greeting?.onEvent(event, Buffer.alloc(0));
  }
}
