import type { Json, JsonObject } from '../qmp/json.js';
import { parseTranscript } from '../qmp/transcript.js';
import type { QmpTransport } from '../qmp/transport.js';
import type { Delivery } from './delivery.js';
import { FakeError, FakeSession, type FakeMonitor, type SessionStream } from './fake-session.js';
import { FakeListener, type FakeAddress } from './fake-listener.js';
import { memoryTransport } from './memory-transport.js';
import { Replay, type ReplayMatch } from './replay.js';

export interface FakeQmpOptions {
  /** `[7, 2, 22]` when left out. */
  readonly version?: readonly [major: number, minor: number, micro: number];
  readonly package?: string;
  /** Offers out-of-band execution; true. */
  readonly oob?: boolean;
  /** Prints like `-mon pretty=on`. */
  readonly pretty?: boolean;
  readonly delivery?: Delivery;
  /** Alters replies on their way out: see `replyFaults`. */
  readonly alterReply?: (reply: JsonObject) => readonly JsonObject[];
  /** Whether its guest runs at first; true. */
  readonly running?: boolean;
  readonly eventsBeforeGreeting?: readonly string[];
  readonly eventsBeforeCapabilities?: readonly string[];
}

export interface FakeContext {
  readonly oob: boolean;
  readonly session: FakeSession;
}

/** @returns the value of `return`, `{}` for undefined; throws a {@link FakeError} for an error reply. */
export type FakeHandler = (
  args: JsonObject,
  context: FakeContext,
) => Json | undefined | void | Promise<Json | undefined | void>;

/** What can go wrong with replies, for `alterReply`. */
export const replyFaults = {
  noId: (reply: JsonObject): readonly JsonObject[] => [{ ...reply, id: undefined }],
  wrongId: (reply: JsonObject): readonly JsonObject[] => [{ ...reply, id: 4711 }],
  textId: (reply: JsonObject): readonly JsonObject[] => [{ ...reply, id: `${reply['id'] as number}` }],
  duplicate: (reply: JsonObject): readonly JsonObject[] => [reply, reply],
  lost: (): readonly JsonObject[] => [],
} as const;

interface Client {
  readonly session: FakeSession;
  greeted: boolean;
}

/**
 * A QMP monitor in this process, for tests: it behaves as QEMU does, which is itself tested against QEMU, and breaks
 * where it is told to. It serves one client at a time; others wait without a greeting.
 *
 * @example
 * const fake = new FakeQmp().on('query-name', () => ({ name: 'vm1' }));
 * await using client = await QmpClient.connect(fake.connect());
 */
export class FakeQmp implements AsyncDisposable {
  readonly #options: FakeQmpOptions;
  readonly #handlers = new Map<string, { handler: FakeHandler; oob: boolean }>();
  readonly #clients: Client[] = [];
  readonly #listeners: FakeListener[] = [];
  readonly #requests: JsonObject[] = [];
  readonly #monitor: FakeMonitor;
  readonly #replay: Replay | undefined;
  #running: boolean;

  /** `replay` answers what no handler does: see {@link FakeQmp.fromTranscript}. */
  constructor(options: FakeQmpOptions = {}, replay?: Replay) {
    this.#options = options;
    this.#replay = replay;
    this.#running = options.running ?? true;
    this.#monitor = this.#makeMonitor(this.#makeGreeting());
    if (replay === undefined) this.#addBuiltIns();
  }

  /** Answers as it was recorded; events come where they came. See {@link ReplayMatch}. */
  static fromTranscript(jsonl: string, options: FakeQmpOptions & { readonly match?: ReplayMatch } = {}): FakeQmp {
    return new FakeQmp(options, new Replay(parseTranscript(jsonl), options.match ?? 'command+args'));
  }

  /** What clients sent, in order, from every session. */
  get requests(): readonly JsonObject[] {
    return this.#requests;
  }

  /** Clients that are connected, the one that is served first. */
  get sessions(): readonly FakeSession[] {
    return this.#clients.map(({ session }) => session);
  }

  on(command: string, handler: FakeHandler, options: { readonly oob?: boolean } = {}): this {
    this.#handlers.set(command, { handler, oob: options.oob ?? false });
    return this;
  }

  /** To every client that has negotiated; others never get it, as with QEMU. */
  emit(event: string, data?: JsonObject): void {
    for (const { session } of this.#clients) if (session.negotiated) session.say(eventMessage(event, data));
  }

  /** One more client of the monitor, in memory. */
  connect(): QmpTransport {
    return memoryTransport((stream) => this.#attach(stream));
  }

  /** Listens on a socket too. @returns where, with the port that was taken. */
  async listen(address: FakeAddress): Promise<FakeAddress> {
    const listener = new FakeListener((stream) => this.#attach(stream));
    this.#listeners.push(listener);
    return listener.listen(address);
  }

  async close(): Promise<void> {
    for (const { session } of [...this.#clients]) session.reset();
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #attach(stream: SessionStream): { receive(latin1: string): void; left(): void } {
    const client: Client = { session: new FakeSession(this.#monitor, stream), greeted: false };
    this.#clients.push(client);
    this.#serveFirst();
    return {
      receive: (latin1) => client.session.receive(latin1),
      left: () => {
        const index = this.#clients.indexOf(client);
        if (index >= 0) this.#clients.splice(index, 1);
        this.#serveFirst();
      },
    };
  }

  #serveFirst(): void {
    const [first] = this.#clients;
    if (first === undefined || first.greeted) return;
    first.greeted = true;
    first.session.greet();
  }

  #makeGreeting(): JsonObject {
    const { version = [7, 2, 22], package: packageName = 'xenpt fake', oob = true } = this.#options;
    const [major, minor, micro] = version;
    const asked = {
      version: { qemu: { micro, minor, major }, package: packageName },
      capabilities: oob ? ['oob'] : [],
    };
    return this.#replay?.greeting ?? asked;
  }

  #makeMonitor(greeting: JsonObject): FakeMonitor {
    const stray = {
      'before-greeting': this.#options.eventsBeforeGreeting ?? [],
      'before-capabilities': this.#options.eventsBeforeCapabilities ?? [],
    };
    return {
      greeting,
      offersOob: (greeting['capabilities'] as readonly string[]).includes('oob'),
      pretty: this.#options.pretty ?? false,
      delivery: this.#options.delivery ?? 'message',
      alterReply: (reply) => this.#alterReply(reply),
      execute: (command, args, isOob, session) => this.#execute(command, args, { oob: isOob, session }),
      allowsOob: (command) => this.#handlers.get(command)?.oob ?? (this.#replay === undefined ? undefined : true),
      received: (request) => this.#requests.push(request),
      strayEvents: (moment) => stray[moment].map((name) => eventMessage(name)),
    };
  }

  /** Negotiation is never altered: without a session there is nothing to test. */
  #alterReply(reply: JsonObject): readonly JsonObject[] {
    const { alterReply } = this.#options;
    const negotiating = this.#requests.at(-1)?.['execute'] === 'qmp_capabilities';
    return alterReply === undefined || negotiating ? [reply] : alterReply(reply);
  }

  async #execute(command: string, args: JsonObject, context: FakeContext): Promise<unknown> {
    const entry = this.#handlers.get(command);
    if (entry !== undefined) return entry.handler(args, context);
    if (this.#replay !== undefined) return this.#replay.execute(command, args, context.session);
    throw new FakeError('CommandNotFound', `The command ${command} has not been found`);
  }

  #addBuiltIns(): void {
    this.on('query-version', () => this.#monitor.greeting['version']);
    const setRunning = (running: boolean, event: string): void => {
      if (this.#running !== running) this.emit(event);
      this.#running = running;
    };
    this.on('query-status', () => ({ status: this.#running ? 'running' : 'paused', running: this.#running }));
    this.on('stop', () => setRunning(false, 'STOP'));
    this.on('cont', () => setRunning(true, 'RESUME'));
    this.on('query-commands', () => [...this.#handlers.keys()].map((name) => ({ name })));
    this.on('quit', () => this.emit('SHUTDOWN', { guest: false, reason: 'host-qmp-quit' }));
  }
}

function eventMessage(event: string, data?: JsonObject): JsonObject {
  const now = Date.now();
  const timestamp = { seconds: Math.floor(now / 1000), microseconds: (now % 1000) * 1000 };
  return { timestamp, event, ...(data === undefined ? {} : { data }) };
}
