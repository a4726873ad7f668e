import type { AccessBatch } from './access-batch.js';
import type { Core } from './core.js';
import { CoreRangeError, CoreTypeError } from './errors.js';
import type { Address, Kernels } from './kernels.js';
import { allOnes, hex, isU32, requireInteger } from './u32.js';

/** What becomes of each bit of one 32-bit word. All masks are u32; bit 0 is the lowest bit of the word's byte 0. */
export interface WordRule {
  /** 1: the reader sees the shadow; 0: the reader sees hardware. */
  readonly virtual: number;
  /** Initial shadow; bits outside `virtual` are dropped. */
  readonly reset: number;
  /** A write changes these shadow bits. Inside `virtual`. */
  readonly shadowWrite: number;
  /** A write reaches hardware in these bits. Outside `virtual`. */
  readonly hardwareWrite: number;
  /** Hardware clears these when 1 is written. Given as 0 unless the writer wrote 1 and `hardwareWrite` has the bit. */
  readonly rw1c: number;
  /** A change of these shadow bits is reported by `write`. Inside `shadowWrite`. */
  readonly notify: number;
}

/** 64 KiB, half a MiB of storage. Files in use are 256 and 4096 bytes long. */
const MAXIMUM_FILE_BYTES = 65_536;

/**
 * Registers of which some bits are held here and the others belong to hardware. A word without a rule has all masks 0:
 * it reads as hardware does, and no write gets through.
 *
 * The access functions take whatever an untrusted party sends. An access that is not 1, 2 or 4 bytes wide, not
 * aligned to its width, or not inside the file, reads as all ones of its width and writes nothing. They allocate
 * nothing.
 */
export class RegisterFile {
  readonly sizeBytes: number;
  readonly #core: Core;
  readonly #kernels: Kernels;
  readonly #address: Address;

  /**
   * @param sizeBytes a multiple of 4, 4 … 65536
   * @throws {CoreTypeError | CoreRangeError} `sizeBytes` is no such number
   * @throws {CoreError} `CORE_MEMORY_LIMIT`: the core has no storage left
   */
  constructor(core: Core, sizeBytes: number) {
    requireInteger('sizeBytes', sizeBytes, 4, MAXIMUM_FILE_BYTES);
    if (sizeBytes % 4 !== 0) {
      throw new CoreRangeError('CORE_ARGUMENT_RANGE', `sizeBytes is ${sizeBytes}: pass a multiple of 4`);
    }
    this.sizeBytes = sizeBytes;
    this.#core = core;
    this.#kernels = core.kernels;
    this.#address = core.allocate(core.kernels.registerFileStorageBytes(sizeBytes));
    this.#kernels.registerFileInitialize(this.#address, sizeBytes);
  }

  /**
   * Sets the rule of one word, replacing an earlier one, and its shadow to `rule.reset`.
   *
   * @throws {CoreTypeError} an argument is not a number
   * @throws {CoreRangeError} `CORE_ARGUMENT_RANGE`: no such word, a mask is not u32; `CORE_MASKS`: masks contradict
   */
  define(wordIndex: number, rule: WordRule): void {
    this.#requireWord(wordIndex);
    requireConsistent(wordIndex, rule);
    const { virtual, reset, shadowWrite, hardwareWrite, rw1c, notify } = rule;
    this.#kernels.registerFileDefine(
      this.#address,
      wordIndex,
      virtual,
      reset,
      shadowWrite,
      hardwareWrite,
      rw1c,
      notify,
    );
  }

  /** Whether `read` looks at its `hardware` argument. */
  needsHardwareToRead(offset: number, width: number): boolean {
    if (!isU32(offset) || !isU32(width)) return false;
    return this.#kernels.registerFileNeedsHardwareToRead(this.#address, offset, width) !== 0;
  }

  /** Whether `write` looks at its `hardware` argument; false means that nothing of such a write reaches hardware. */
  needsHardwareToWrite(offset: number, width: number): boolean {
    if (!isU32(offset) || !isU32(width)) return false;
    return this.#kernels.registerFileNeedsHardwareToWrite(this.#address, offset, width) !== 0;
  }

  /**
   * @param offset in bytes
   * @param width in bytes
   * @param hardware what hardware gives for exactly this access, in the low `width` bytes
   * @returns u32, in the low `width` bytes
   */
  read(offset: number, width: number, hardware: number): number {
    if (!isU32(offset) || !isU32(width)) return allOnes(width);
    return this.#kernels.registerFileRead(this.#address, offset, width, hardware) >>> 0;
  }

  /**
   * Stores what the rule lets into the shadow, and leaves in `hardwareByteEnables` and `hardwareValue` what hardware
   * is to be given. Bits that share a byte with a written one are given back as they are in `hardware`.
   *
   * @param hardware what hardware gives for a read of exactly this access, in the low `width` bytes
   * @returns u32: the shadow bits of the word that changed and are in `notify`, at their places in the word
   */
  write(offset: number, width: number, value: number, hardware: number): number {
    // A width of 0 is refused like any other: the results of the write before must go.
    const asked = isU32(offset) && isU32(width) ? width : 0;
    return this.#kernels.registerFileWrite(this.#address, offset, asked, value, hardware) >>> 0;
  }

  /**
   * The first `count` accesses of the batch as reads, in their order.
   *
   * @throws {CoreTypeError | CoreRangeError} the batch is of another core, or has not so many
   */
  readBatch(batch: AccessBatch, count: number = batch.capacity): void {
    this.#requireBatch(batch, count);
    this.#kernels.registerFileReadBatch(this.#address, batch.address, count);
  }

  /**
   * The first `count` accesses of the batch as writes, in their order. What hardware gives is taken from the batch, so
   * no two of them may share a word of hardware that the first changes.
   *
   * @throws {CoreTypeError | CoreRangeError} the batch is of another core, or has not so many
   */
  writeBatch(batch: AccessBatch, count: number = batch.capacity): void {
    this.#requireBatch(batch, count);
    this.#kernels.registerFileWriteBatch(this.#address, batch.address, count);
  }

  /** After `write`: bit n is 1 when byte n of the word must be written to hardware; 0 after a refused write. */
  get hardwareByteEnables(): number {
    return this.#kernels.registerFileHardwareByteEnables(this.#address);
  }

  /** After `write`: u32, the bytes to write at their places in the word; 0 in all others. */
  get hardwareValue(): number {
    return this.#kernels.registerFileHardwareValue(this.#address) >>> 0;
  }

  /**
   * The shadow as it is, without masks.
   *
   * @throws {CoreTypeError | CoreRangeError} no such word
   */
  shadow(wordIndex: number): number {
    this.#requireWord(wordIndex);
    return this.#kernels.registerFileShadow(this.#address, wordIndex) >>> 0;
  }

  /**
   * The host's own way to change the shadow: no mask applies, nothing is reported.
   *
   * @throws {CoreTypeError | CoreRangeError} no such word, or `value` is not u32
   */
  setShadow(wordIndex: number, value: number): void {
    this.#requireWord(wordIndex);
    requireInteger('value', value, 0, 0xffff_ffff);
    this.#kernels.registerFileSetShadow(this.#address, wordIndex, value);
  }

  /** All shadows back to their rules' `reset`. The rules stay. */
  reset(): void {
    this.#kernels.registerFileReset(this.#address);
  }

  #requireBatch(batch: AccessBatch, count: number): void {
    if (batch.core !== this.#core)
      throw new CoreTypeError('the batch lies in another core: make it with the same one');
    requireInteger('count', count, 0, batch.capacity);
  }

  #requireWord(wordIndex: number): void {
    requireInteger('wordIndex', wordIndex, 0, this.sizeBytes / 4 - 1);
  }
}

function requireConsistent(wordIndex: number, rule: WordRule): void {
  const { virtual, reset, shadowWrite, hardwareWrite, rw1c, notify } = rule;
  for (const [name, mask] of Object.entries({ virtual, reset, shadowWrite, hardwareWrite, rw1c, notify })) {
    requireInteger(name, mask, 0, 0xffff_ffff);
  }
  requireNone(wordIndex, shadowWrite & ~virtual, 'shadowWrite has bits that virtual has not');
  requireNone(wordIndex, hardwareWrite & virtual, 'hardwareWrite has bits that virtual has too');
  requireNone(wordIndex, notify & ~shadowWrite, 'notify has bits that shadowWrite has not');
}

function requireNone(wordIndex: number, bits: number, sentence: string): void {
  if (bits !== 0)
    throw new CoreRangeError('CORE_MASKS', `word ${wordIndex}: ${sentence}: clear ${hex(bits)} in one of them`);
}
