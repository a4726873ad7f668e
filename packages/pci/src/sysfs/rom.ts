import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { maxRomBytes } from '../rom/expansion-rom.js';
import type { Sbdf } from '../sbdf.js';
import { type SysfsOptions, exists, functionDirectory } from './attributes.js';
import { SysfsError, sysfsFailure } from './errors.js';

const chunkBytes = 65_536;

/**
 * The expansion ROM of a function as the kernel reads it. It turns the ROM's decoding on for the time, so nobody else
 * should use the function meanwhile.
 *
 * @throws {@link SysfsError} `SYSFS_ROM_ABSENT` when there is none to read
 */
export function readFunctionRom(sbdf: Sbdf, options: SysfsOptions = {}): Uint8Array {
  const path = join(functionDirectory(sbdf, options), 'rom');
  if (!exists(path)) throw romAbsent(path, 'the function has no expansion ROM');
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDWR);
    writeSync(descriptor, '1', 0);
    try {
      return readToEnd(descriptor);
    } finally {
      writeSync(descriptor, '0', 0);
    }
  } catch (cause) {
    // The kernel's word for a ROM that it finds nothing in.
    if ((cause as NodeJS.ErrnoException).code === 'EIO') throw romAbsent(path, 'the kernel finds nothing in it');
    throw sysfsFailure(path, 'read', cause);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function readToEnd(descriptor: number): Uint8Array {
  const bytes = new Uint8Array(maxRomBytes);
  let length = 0;
  while (length < maxRomBytes) {
    const count = readSync(descriptor, bytes, length, Math.min(chunkBytes, maxRomBytes - length), length);
    if (count === 0) break;
    length += count;
  }
  return bytes.slice(0, length);
}

function romAbsent(path: string, problem: string): SysfsError {
  return new SysfsError('SYSFS_ROM_ABSENT', path, {
    problem: `${path}: ${problem}.`,
    nextStep: 'Name a file with the vendor’s ROM, or go without one.',
  });
}
