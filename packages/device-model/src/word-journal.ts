import { closeSync, constants, fstatSync, openSync, rmSync, writeSync } from 'node:fs';
import { DeviceMemory } from '@xenpt/xen-bindings';
import type { Changes } from './changes.js';
import { applyWord } from './saved-words.js';
import type { GuestSaved } from './state.js';

const fileBytes = 65_536;
const recordBytes = 16;
const halfBytes = 8;

/**
 * Words of a guest's registers that have changed since its state was saved, in a file that is mapped: noting one is two
 * stores into memory, which outlive the process that makes them.
 *
 *     | place | value | number of the state | index from 1 |   each 4 bytes
 *
 * The second half is stored last. A record that was cut short, or belongs to an earlier state, has another one.
 */
export class WordJournal {
  readonly #path: string;
  readonly #memory: DeviceMemory;
  /** Low 32 bits. */
  #stateNumber = 0;
  #count = fileBytes / recordBytes;

  /**
   * @param isFresh what is there belongs to nobody
   * @throws what node:fs throws; XenUnavailableError, XenCallError
   */
  constructor(path: string, isFresh: boolean) {
    this.#path = path;
    prepare(path, isFresh);
    this.#memory = DeviceMemory.open(path);
  }

  /** From now on words are added to the state with this number. */
  begin(stateNumber: bigint): void {
    this.#stateNumber = lowHalf(stateNumber);
    this.#count = 0;
  }

  /** All of them or, with false, none. */
  append({ places, values, wordCount }: Changes): boolean {
    if ((this.#count + wordCount) * recordBytes > fileBytes) return false;
    for (let index = 0; index < wordCount; index += 1) {
      const offset = this.#count * recordBytes;
      this.#count += 1;
      this.#memory.write(offset, halfBytes, places[index] ?? 0, values[index] ?? 0);
      this.#memory.write(offset + halfBytes, halfBytes, this.#stateNumber, this.#count);
    }
    return true;
  }

  /** Brings a state that was found to where its guest was last. */
  replay(stateNumber: bigint, state: GuestSaved): void {
    for (let index = 0; index < fileBytes / recordBytes; index += 1) {
      const offset = index * recordBytes;
      const number = this.#memory.read(offset + halfBytes, halfBytes);
      if (number !== lowHalf(stateNumber) || this.#memory.high !== index + 1) return;
      const place = this.#memory.read(offset, halfBytes);
      applyWord(state, place, this.#memory.high);
    }
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }

  close(): void {
    this.#memory.close();
  }
}

/** All of it is written before it is mapped: a store to a page that the disk has no room for ends in a signal. */
function prepare(path: string, isFresh: boolean): void {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    if (!isFresh && fstatSync(file).size === fileBytes) return;
    const zeros = Buffer.alloc(fileBytes);
    for (let done = 0; done < fileBytes;) done += writeSync(file, zeros, done, fileBytes - done, done);
  } finally {
    closeSync(file);
  }
}

const lowHalf = (number: bigint): number => Number(BigInt.asIntN(32, number));
