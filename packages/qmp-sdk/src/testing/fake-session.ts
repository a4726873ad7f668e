import type { JsonObject } from '../qmp/json.js';
import { Deliverer, type Delivery } from './delivery.js';
import { printJson } from './print-json.js';
import { RequestReader, type Request } from './request-reader.js';

/** QEMU's queue of each monitor (monitor/qmp.c, QMP_REQ_QUEUE_LEN_MAX); one without OOB. */
const requestQueueLength = 8;

/** What a session needs of its monitor. */
export interface FakeMonitor {
  readonly greeting: JsonObject;
  readonly offersOob: boolean;
  readonly pretty: boolean;
  readonly delivery: Delivery;
  /** Alters, drops or repeats replies. */
  readonly alterReply: (reply: JsonObject) => readonly JsonObject[];
  /** @returns the value of `return`. @throws FakeError */
  execute(command: string, args: JsonObject, oob: boolean, session: FakeSession): Promise<unknown>;
  /** Undefined when there is no such command. */
  allowsOob(command: string): boolean | undefined;
  received(request: JsonObject): void;
  /** Events that are sent before the greeting, and before the reply to qmp_capabilities. */
  strayEvents(moment: 'before-greeting' | 'before-capabilities'): readonly JsonObject[];
}

export class FakeError extends Error {
  readonly errorClass: string;

  constructor(errorClass: string, desc: string) {
    super(desc);
    this.name = 'FakeError';
    this.errorClass = errorClass;
  }
}

/** The stream to one client. */
export interface SessionStream {
  send(latin1: string): void;
  end(): void;
  reset(): void;
}

/** One client's conversation with the fake. Its methods misbehave in ways QEMU, or its death, can. */
export class FakeSession {
  readonly #monitor: FakeMonitor;
  readonly #stream: SessionStream;
  readonly #deliverer: Deliverer;
  readonly #reader = new RequestReader();
  readonly #queue: Readonly<Record<string, unknown>>[] = [];
  readonly #unread: string[] = [];
  #greeted = false;
  #negotiated = false;
  #oob = false;
  #running = false;
  #over = false;

  constructor(monitor: FakeMonitor, stream: SessionStream) {
    this.#monitor = monitor;
    this.#stream = stream;
    this.#deliverer = new Deliverer(monitor.delivery, (latin1) => stream.send(latin1));
  }

  get negotiated(): boolean {
    return this.#negotiated;
  }

  /** It is this client's turn: what it said while it waited is read now. */
  greet(): void {
    this.#greeted = true;
    for (const event of this.#monitor.strayEvents('before-greeting')) this.say(event);
    this.say({ QMP: this.#monitor.greeting });
    this.#read();
  }

  receive(latin1: string): void {
    this.#unread.push(latin1);
    this.#read();
  }

  /** A message as QEMU prints it. */
  say(message: JsonObject): void {
    if (!this.#over) this.#deliverer.say(`${printJson(message, this.#monitor.pretty)}\r\n`);
  }

  /** Any bytes, one character each. */
  raw(latin1: string): void {
    if (!this.#over) this.#deliverer.say(latin1);
  }

  /** Nothing leaves any more, but it is still read: SIGSTOP, or a main loop that hangs. */
  stall(): void {
    this.#deliverer.stall();
  }

  resume(): void {
    this.#deliverer.resume();
  }

  /** EOF after everything said. */
  end(): void {
    this.#over = true;
    this.#deliverer.afterwards(() => this.#stream.end());
  }

  /** The connection breaks, now. */
  reset(): void {
    this.#over = true;
    this.#stream.reset();
  }

  #read(): void {
    while (this.#greeted && !this.#full && this.#unread.length > 0) {
      const text = this.#unread.shift() as string;
      // Byte by byte, as QEMU: what comes after a full queue stays unread, an OOB command too.
      for (let index = 0; index < text.length; index++) {
        for (const request of this.#reader.push(text.charAt(index))) this.#accept(request);
        if (!this.#full || index + 1 === text.length) continue;
        this.#unread.unshift(text.slice(index + 1));
        return;
      }
    }
  }

  get #full(): boolean {
    return this.#queue.length + (this.#running ? 1 : 0) >= (this.#oob ? requestQueueLength + 1 : 1);
  }

  #accept(request: Request): void {
    if ('refusal' in request) {
      this.#reply({ error: { class: 'GenericError', desc: request.refusal } });
      return;
    }
    this.#monitor.received(request.object as JsonObject);
    if (this.#oob && 'exec-oob' in request.object) void this.#execute(request.object);
    else {
      this.#queue.push(request.object);
      void this.#runQueue();
    }
  }

  async #runQueue(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
      await this.#execute(request);
    }
    this.#running = false;
    this.#read();
  }

  async #execute(request: Readonly<Record<string, unknown>>): Promise<void> {
    const id = request['id'] as JsonObject[string];
    const echo = 'id' in request ? { id } : {};
    try {
      const value = await this.#dispatch(request);
      this.#reply({ return: (value ?? {}) as JsonObject, ...echo });
      if (request['execute'] === 'quit') this.end();
    } catch (error) {
      if (!(error instanceof FakeError)) throw error;
      this.#reply({ ...echo, error: { class: error.errorClass, desc: error.message } });
    }
  }

  async #dispatch(request: Readonly<Record<string, unknown>>): Promise<unknown> {
    const oob = this.#oob && 'exec-oob' in request;
    const known = new Set(['execute', 'arguments', 'id', ...(this.#oob ? ['exec-oob'] : [])]);
    for (const name of Object.keys(request)) {
      if (!known.has(name)) throw generic(`QMP input member '${name}' is unexpected`);
    }
    const command = oob ? request['exec-oob'] : request['execute'];
    if (command === undefined) throw generic("QMP input lacks member 'execute'");
    if (typeof command !== 'string') throw generic("QMP input member 'execute' must be a string");
    const args = request['arguments'] ?? {};
    if (typeof args !== 'object' || Array.isArray(args)) {
      throw generic("QMP input member 'arguments' must be an object");
    }
    if (command === 'qmp_capabilities') return this.#negotiate(args as JsonObject);
    if (!this.#negotiated) {
      throw new FakeError('CommandNotFound', "Expecting capabilities negotiation with 'qmp_capabilities'");
    }
    if (oob && this.#monitor.allowsOob(command) === false)
      throw generic(`The command ${command} does not support OOB`);
    return this.#monitor.execute(command, args as JsonObject, oob, this);
  }

  #negotiate(args: JsonObject): JsonObject {
    if (this.#negotiated) {
      throw new FakeError('CommandNotFound', 'Capabilities negotiation is already complete, command ignored');
    }
    const wanted = (args['enable'] ?? []) as readonly string[];
    for (const name of wanted) {
      if (name !== 'oob') throw generic(`Parameter 'null' does not accept value '${name}'`);
      if (!this.#monitor.offersOob) throw generic('Capability oob is not available');
    }
    for (const event of this.#monitor.strayEvents('before-capabilities')) this.say(event);
    this.#negotiated = true;
    this.#oob = wanted.includes('oob');
    return {};
  }

  #reply(reply: JsonObject): void {
    for (const message of this.#monitor.alterReply(reply)) this.say(message);
  }
}

const generic = (desc: string): FakeError => new FakeError('GenericError', desc);
