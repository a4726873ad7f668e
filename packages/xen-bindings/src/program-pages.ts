import { loadAddon } from './addon.js';
import { calling } from './errors.js';

/**
 * Has the kernel unmap all text and constants of this program and its libraries; what is used of them is mapped again,
 * from the page cache, when it is next used. For a process that has started and will mostly wait: its start needs
 * several times what its life does. Returns how many bytes of files that were. Needs the addon, not Xen.
 *
 * Not for a Node that was started with `--use-largepages`, whose text is in no file any more.
 *
 * @throws XenUnavailableError when the addon is missing
 */
export function dropProgramPages(): number {
  const addon = loadAddon();
  return calling(() => addon.dropProgramPages());
}
