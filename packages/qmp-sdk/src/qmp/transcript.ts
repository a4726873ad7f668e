import { parseExactJson } from './exact-json.js';
import { maximumNesting } from './json.js';
import type { Message } from './message.js';

/** One message of a session: `>` from the client, `<` from QEMU. */
export interface TranscriptEntry {
  /** Milliseconds since the transcript began. */
  readonly t: number;
  readonly dir: '>' | '<';
  readonly msg: Message;
}

/** Where a client writes down what is said. */
export interface Transcript {
  /** Called with every message, before it is sent or looked at. It must not throw. */
  record(dir: '>' | '<', message: Message): void;
}

export interface TranscriptOptions {
  /** Members whose values are never kept, beside the built-in ones. Compared without regard to case. */
  readonly redact?: readonly string[];
  /** Milliseconds; `performance.now` when left out. */
  readonly now?: () => number;
}

/** QAPI members whose value is a secret. Members named `…-secret` hold the id of a secret object, which is none. */
export const secretMembers: readonly string[] = ['password', 'passwd', 'secret', 'cookie', 'token'];

/** Arguments that are a secret in one command only. */
const secretArguments: Readonly<Record<string, string>> = {
  'object-add': 'data',
  'ringbuf-write': 'data',
  'qom-set': 'value',
  'human-monitor-command': 'command-line',
};
const redacted = '***';

/** A transcript in JSON lines. `write` gets each line with its end. Bigint is written digit by digit. */
export function jsonlTranscript(write: (line: string) => void, options: TranscriptOptions = {}): Transcript {
  const { now = () => performance.now() } = options;
  const secrets = new Set([...secretMembers, ...(options.redact ?? [])].map((name) => name.toLowerCase()));
  const start = now();
  return {
    record(dir, message) {
      const t = Math.round((now() - start) * 1000) / 1000;
      write(`{"t":${t},"dir":"${dir}","msg":${printRedacted(redactArguments(message), secrets)}}\n`);
    },
  };
}

function redactArguments(message: Message): Message {
  const { execute, arguments: args } = message;
  const name = typeof execute === 'string' && Object.hasOwn(secretArguments, execute) ? secretArguments[execute] : '';
  if (!name || typeof args !== 'object' || args === null || !(name in args)) return message;
  return { ...message, arguments: { ...args, [name]: redacted } };
}

function printRedacted(value: unknown, secrets: ReadonlySet<string>): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value))
    return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map((item) => printRedacted(item, secrets)).join(',')}]`;
  const members = Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    if (member === undefined) return [];
    const hidden = secrets.has(name.toLowerCase()) && member !== null;
    return [`${JSON.stringify(name)}:${hidden ? JSON.stringify(redacted) : printRedacted(member, secrets)}`];
  });
  return `{${members.join(',')}}`;
}

/**
 * Reads a transcript back.
 *
 * @throws QmpProtocolError when a line is no JSON; TypeError when it is no entry.
 */
export function parseTranscript(jsonl: string): TranscriptEntry[] {
  const lines = jsonl.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line, index) => {
    const entry = parseExactJson(line, { unsafeIntegers: 'bigint', maxNesting: maximumNesting }) as TranscriptEntry;
    if ((entry?.dir !== '>' && entry?.dir !== '<') || typeof entry.msg !== 'object' || entry.msg === null) {
      throw new TypeError(`line ${index + 1} of the transcript is not {"t", "dir", "msg"}`);
    }
    return entry;
  });
}
