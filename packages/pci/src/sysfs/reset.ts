import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import type { Sbdf } from '../sbdf.js';
import { type SysfsOptions, exists, functionDirectory } from './attributes.js';
import { SysfsError, sysfsFailure } from './errors.js';

/** Whether the kernel has a way to reset the function that spares its neighbours. */
export function canResetFunction(sbdf: Sbdf, options: SysfsOptions = {}): boolean {
  return exists(join(functionDirectory(sbdf, options), 'reset'));
}

/**
 * Resets the function by the first method the kernel has for it, and restores its configuration. Blocks until
 * done, which takes up to a second or two.
 *
 * @throws {@link SysfsError} `SYSFS_RESET_UNSUPPORTED` when the kernel knows no way that spares its neighbours
 */
export function resetFunction(sbdf: Sbdf, options: SysfsOptions = {}): void {
  const directory = functionDirectory(sbdf, options);
  const path = join(directory, 'reset');
  if (exists(directory) && !exists(path)) {
    throw new SysfsError('SYSFS_RESET_UNSUPPORTED', path, {
      problem: `${path} is not there: the kernel has no way to reset this function alone.`,
      nextStep: 'Go on only if the next user of the device may find what the last one left in it.',
    });
  }
  let descriptor: number | undefined;
  try {
    // Without O_CREAT: a missing attribute is an error, not a new file.
    descriptor = openSync(path, constants.O_WRONLY);
    writeSync(descriptor, '1');
  } catch (cause) {
    throw sysfsFailure(path, 'written', cause);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
