import { closeSync, openSync, readSync } from 'node:fs';

import { configFactsEnd } from '../inventory/config-facts.js';
import { sysfsFailure } from './errors.js';

/** Configuration space from its beginning on, as far as the facts of an inventory need it. */
export interface ConfigBeginning {
  /** To be looked at before the next call: it is read into the same memory each time. */
  readonly bytes: Uint8Array;
  /** Of the whole: 64 for others than root, 256 or 4096. */
  readonly sizeBytes: number;
}

const configBytesMax = 4096;
/** Holds what is looked at of most devices. */
const firstBytes = 512;
/** However a device chains its capabilities, it is asked a dozen times at most. */
const pieceBytes = 256;
const buffer = new Uint8Array(configBytesMax);

/**
 * Reads no more than is looked at: the kernel asks the device for each word, which takes about 1 µs, and 15 µs where a
 * hypervisor answers for it; the whole of a thousand functions takes a second.
 *
 * @throws SysfsError
 */
export function readConfigBeginning(path: string): ConfigBeginning {
  try {
    const descriptor = openSync(path, 'r');
    try {
      let length = 0;
      for (let end = firstBytes; length < end; end = endOfPiece(configFactsEnd(buffer.subarray(0, length)))) {
        const count = readSync(descriptor, buffer, length, end - length, length);
        length += count;
        if (length < end) return { bytes: buffer.subarray(0, length), sizeBytes: length };
      }
      return { bytes: buffer.subarray(0, length), sizeBytes: configBytesMax };
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw sysfsFailure(path, 'read', cause);
  }
}

function endOfPiece(end: number): number {
  return Math.ceil(end / pieceBytes) * pieceBytes;
}
