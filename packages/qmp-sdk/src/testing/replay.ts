import type { JsonObject } from '../qmp/json.js';
import type { TranscriptEntry } from '../qmp/transcript.js';
import { FakeError, type FakeSession } from './fake-session.js';
import { printJson } from './print-json.js';

/**
 * Which recorded exchange answers a request: the next one and only if it is the same (`sequence`), the next of the same
 * command and arguments (`command+args`), or the next of the same command (`command`). Without a next one the last
 * that fits answers again.
 */
export type ReplayMatch = 'sequence' | 'command' | 'command+args';

/** A request of the transcript with what QEMU said until the next request. */
interface Exchange {
  readonly command: string;
  readonly args: string;
  readonly eventsBefore: JsonObject[];
  reply: JsonObject | undefined;
  readonly eventsAfter: JsonObject[];
  used: boolean;
}

/** What a transcript says QEMU answers. */
export class Replay {
  /** The recorded greeting. */
  readonly greeting: JsonObject | undefined;
  readonly #match: ReplayMatch;
  readonly #exchanges: readonly Exchange[];

  constructor(entries: readonly TranscriptEntry[], match: ReplayMatch) {
    this.#match = match;
    this.greeting = entries.find(({ msg }) => 'QMP' in msg)?.msg['QMP'] as JsonObject | undefined;
    this.#exchanges = exchangesIn(entries).filter(({ command }) => command !== 'qmp_capabilities');
  }

  /** @returns the recorded `return`. @throws FakeError as recorded, or when nothing fits. */
  execute(command: string, args: JsonObject, session: FakeSession): unknown {
    const exchange = this.#find(command, printJson(args, false));
    exchange.used = true;
    for (const event of exchange.eventsBefore) session.say(event);
    // The reply is said before the next turn.
    if (exchange.eventsAfter.length > 0) {
      setTimeout(() => exchange.eventsAfter.forEach((event) => session.say(event)), 0);
    }
    const { reply } = exchange;
    if (reply === undefined) return new Promise(() => undefined);
    const error = reply['error'] as { class: string; desc: string } | undefined;
    if (error !== undefined) throw new FakeError(error.class, error.desc);
    return reply['return'];
  }

  #find(command: string, args: string): Exchange {
    const fits = (exchange: Exchange): boolean =>
      exchange.command === command && (this.#match === 'command' || exchange.args === args);
    const unused = this.#exchanges.filter(({ used }) => !used);
    const found =
      this.#match === 'sequence'
        ? unused.slice(0, 1).find(fits)
        : (unused.find(fits) ?? this.#exchanges.filter(fits).at(-1));
    if (found !== undefined) return found;
    throw new FakeError('GenericError', `the transcript has no answer to ${command} with ${args} here`);
  }
}

function exchangesIn(entries: readonly TranscriptEntry[]): Exchange[] {
  const exchanges: Exchange[] = [];
  const waiting = new Map<unknown, Exchange>();
  for (const { dir, msg } of entries) {
    const message = msg as JsonObject;
    const last = exchanges.at(-1);
    if (dir === '>') {
      const exchange = exchangeFor(message);
      exchanges.push(exchange);
      waiting.set(message['id'], exchange);
    } else if ('event' in message) {
      (last?.reply === undefined ? last?.eventsBefore : last.eventsAfter)?.push(message);
    } else if (waiting.has(message['id'])) {
      (waiting.get(message['id']) as Exchange).reply = message;
      waiting.delete(message['id']);
    }
  }
  return exchanges;
}

function exchangeFor(request: JsonObject): Exchange {
  const command = (request['execute'] ?? request['exec-oob']) as string;
  const args = printJson(request['arguments'] ?? {}, false);
  return { command, args, eventsBefore: [], reply: undefined, eventsAfter: [], used: false };
}
