import { loadAddon } from './addon.js';
import { calling } from './errors.js';

/**
 * Takes the exclusive lock of an open file, as flock(2) does with `LOCK_EX | LOCK_NB`: it belongs to the open file, and
 * goes when that is closed. Needs the addon, not Xen.
 *
 * @returns false if it is taken
 * @throws XenUnavailableError when the addon is missing; XenCallError
 */
export function tryFlock(fd: number): boolean {
  const addon = loadAddon();
  return calling(() => addon.tryFlock(fd));
}
