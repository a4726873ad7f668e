import { closeSync, constants, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import type { Changes } from './changes.js';
import { DeviceModelError, messageOf } from './errors.js';
import type { ModelState } from './state.js';
import { WordJournal } from './word-journal.js';

/** Grows when what is in {@link ModelState} changes, or what it means. */
const formatVersion = 2;
const numberBytes = 8;
const headerBytes = 2 * numberBytes;

/**
 * The state of a guest's model, for the process that goes on after a SIGKILL. Two files are written in turn, so that
 * one is whole at any moment:
 *
 *     | number | length | state, as V8 serializes it | number |
 *
 * A write that was cut short has another number at its end, or none. There is no fsync: what the kernel has taken
 * outlives this process, and no guest outlives the kernel. Words that have changed since are in a third file.
 */
export class StateFile {
  /** What a former process left; null when there was none. */
  readonly found: ModelState | null;
  readonly #paths: readonly string[];
  readonly #files: readonly number[];
  readonly #words: WordJournal;
  #number: bigint;

  /**
   * @param path of both files but for their last letter, in a folder that only we may enter
   * @throws DeviceModelError DEVICE_MODEL_STATE_UNREADABLE if there is a state that is not to be relied on
   */
  constructor(path: string) {
    this.#paths = pathsOf(path);
    const newest = newestOf(path);
    this.found = newest === null ? null : decode(path, newest.body);
    this.#number = newest?.number ?? 0n;
    this.#words = new WordJournal(`${path}.words`, newest === null);
    if (this.found !== null) this.#words.replay(this.#number, this.found);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
    this.#files = this.#paths.map((one) => openSync(one, flags, 0o600));
  }

  save(state: ModelState): void {
    const number = this.#number + 1n;
    const body = serialize({ formatVersion, state });
    const bytes = Buffer.allocUnsafe(headerBytes + body.length + numberBytes);
    bytes.writeBigUInt64LE(number, 0);
    bytes.writeBigUInt64LE(BigInt(body.length), numberBytes);
    body.copy(bytes, headerBytes);
    bytes.writeBigUInt64LE(number, headerBytes + body.length);
    const file = this.#files[Number(number % 2n)] ?? -1;
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, done);
    // A write that failed is made again in the same place: the other file is the last whole one.
    this.#number = number;
    this.#words.begin(number);
  }

  /** Adds the words that have changed since the last save. False: there is no room for them, save the whole. */
  saveWords(changes: Changes): boolean {
    return this.#words.append(changes);
  }

  /** There is nothing to go on with: the model has ended. */
  remove(): void {
    for (const path of this.#paths) rmSync(path, { force: true });
    this.#words.remove();
  }

  close(): void {
    this.#words.close();
    for (const file of this.#files) closeSync(file);
  }
}

/** In a moment the other of the two is written; both at once only to a disk that is slower than this. */
const mostReads = 5;

/**
 * Whether this version can go on with what the model at work writes there.
 *
 * @param path as of {@link StateFile}
 * @throws DeviceModelError DEVICE_MODEL_STATE_UNREADABLE, also when there is none
 */
export function checkModelState(path: string): void {
  for (let read = 1; ; read += 1) {
    try {
      const newest = newestOf(path);
      if (newest === null) throw unreadable(path, 'there is none');
      decode(path, newest.body);
      return;
    } catch (error) {
      if (read === mostReads) throw error;
    }
  }
}

const pathsOf = (path: string): readonly string[] => [`${path}.a`, `${path}.b`];

function newestOf(path: string): Whole | null {
  const contents = pathsOf(path).map(readIfThere);
  const whole = contents.flatMap((bytes) => wholeOf(bytes) ?? []);
  // The first state, of a server without functions, may be cut short. Later one of the two is whole.
  if (whole.length === 0 && contents.every(({ length }) => length > 0)) {
    throw unreadable(path, 'neither file is whole');
  }
  return whole.sort((one, other) => (one.number < other.number ? 1 : -1))[0] ?? null;
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

interface Whole {
  readonly number: bigint;
  readonly body: Buffer;
}

function wholeOf(bytes: Buffer): Whole | null {
  if (bytes.length < headerBytes + numberBytes) return null;
  const number = bytes.readBigUInt64LE(0);
  const length = bytes.readBigUInt64LE(numberBytes);
  if (length > BigInt(bytes.length - headerBytes - numberBytes)) return null;
  const end = headerBytes + Number(length);
  return bytes.readBigUInt64LE(end) === number ? { number, body: bytes.subarray(headerBytes, end) } : null;
}

function decode(path: string, body: Buffer): ModelState {
  let saved: Partial<{ formatVersion: number; state: ModelState }> | null;
  try {
    saved = deserialize(body) as typeof saved;
  } catch (cause) {
    throw unreadable(path, messageOf(cause), cause);
  }
  if (saved?.formatVersion === formatVersion && saved.state !== undefined) return saved.state;
  throw unreadable(
    path,
    `it has format ${saved?.formatVersion ?? 'unknown'}, and this version reads ${formatVersion}`,
  );
}

/** What Xen still has of ours is in no other place. */
function unreadable(path: string, why: string, cause?: unknown): DeviceModelError {
  return new DeviceModelError(
    'DEVICE_MODEL_STATE_UNREADABLE',
    `the state of the former model, ${path}.a and .b, cannot be read: ${why}. ` +
      'Use the version of xenpt that wrote it, or destroy the guest and remove both files',
    { cause },
  );
}
