import { loadAddon } from './addon.js';
import { calling } from './errors.js';

/** Who connected a Unix socket, as the kernel knew it then. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * `SO_PEERCRED` of a connected Unix socket (socket(7), unix(7)). Needs the addon, not Xen.
 *
 * @throws XenUnavailableError when the addon is missing; XenCallError: no descriptor, or no socket
 */
export function peerCredentials(fd: number): PeerCredentials {
  const addon = loadAddon();
  return calling(() => addon.peerCredentials(fd));
}
