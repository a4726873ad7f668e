import { closeSync, openSync, readSync, writeSync } from 'node:fs';

import { type AccessWidth, type ConfigAccess, allOnes } from '../config-space/access.js';
import type { Sbdf } from '../sbdf.js';
import type { SysfsOptions } from './attributes.js';
import { configFilePath } from './bar-file.js';
import { SysfsError, sysfsFailure } from './errors.js';

/** PCI Express Base 5.0 §7.2: the largest configuration space. */
const maxConfigBytes = 4096;

/** A function's configuration space, open until it is closed. */
export interface OpenConfigAccess extends ConfigAccess, Disposable {
  close(): void;
}

/**
 * Opens the function's `config` for reading and writing. One call is one system call of the exact width, which
 * the kernel turns into one configuration cycle of that width.
 *
 * Reads that fail, are short, unaligned or outside give all ones of the width and never throw; so does a read
 * after `close()`. A write that fails or is cut short throws {@link SysfsError}; one that is unaligned or outside
 * is a mistake of the caller and throws RangeError.
 *
 * @throws {@link SysfsError} when the file cannot be opened
 */
export function openConfigAccess(sbdf: Sbdf, options: SysfsOptions = {}): OpenConfigAccess {
  const path = configFilePath(sbdf, options);
  try {
    return new ConfigFile(path, openSync(path, 'r+'));
  } catch (cause) {
    throw sysfsFailure(path, 'opened', cause);
  }
}

const closed = -1;

class ConfigFile implements OpenConfigAccess {
  readonly #path: string;
  readonly #buffer = Buffer.alloc(4);
  #descriptor: number;

  constructor(path: string, descriptor: number) {
    this.#path = path;
    this.#descriptor = descriptor;
  }

  read(offset: number, width: AccessWidth): number {
    if (this.#descriptor === closed || !isInside(offset, width)) return allOnes(width);
    try {
      const count = readSync(this.#descriptor, this.#buffer, 0, width, offset);
      return count === width ? this.#buffer.readUIntLE(0, width) : allOnes(width);
    } catch {
      return allOnes(width);
    }
  }

  write(offset: number, width: AccessWidth, value: number): void {
    if (!isInside(offset, width)) {
      throw new RangeError(`Offset ${offset}, width ${width}: must be aligned and inside ${maxConfigBytes} bytes.`);
    }
    this.#buffer.writeUInt32LE((value & allOnes(width)) >>> 0, 0);
    const count = this.#writeBuffer(offset, width);
    if (count !== width) {
      throw new SysfsError('SYSFS_IO', this.#path, {
        problem: `${this.#path} took ${count} of ${width} bytes at offset ${offset}.`,
        nextStep: 'The device may have been removed: look in the kernel log (dmesg).',
      });
    }
  }

  close(): void {
    if (this.#descriptor === closed) return;
    const descriptor = this.#descriptor;
    // First, so that a descriptor the system gives to somebody else is never used.
    this.#descriptor = closed;
    closeSync(descriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #writeBuffer(offset: number, width: AccessWidth): number {
    if (this.#descriptor === closed) {
      throw new SysfsError('SYSFS_IO', this.#path, {
        problem: `${this.#path} is closed.`,
        nextStep: 'Open it again with openConfigAccess.',
      });
    }
    try {
      return writeSync(this.#descriptor, this.#buffer, 0, width, offset);
    } catch (cause) {
      throw sysfsFailure(this.#path, 'written', cause);
    }
  }
}

function isInside(offset: number, width: AccessWidth): boolean {
  return Number.isInteger(offset) && offset >= 0 && offset + width <= maxConfigBytes && offset % width === 0;
}
