import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * The process at the other end of the connection that a monitor serves. Only the kernel's socket diagnosis knows; `ss`
 * of iproute2 asks it. Not found, no `ss`, not permitted: `undefined`.
 */
export async function monitorHolder(path: string): Promise<number | undefined> {
  try {
    const { stdout } = await run('ss', ['-xpnH'], { timeout: 1000, maxBuffer: 8 << 20 });
    return holderIn(stdout, path);
  } catch {
    return undefined;
  }
}

interface SocketRow {
  readonly path: string;
  readonly inode: string;
  readonly peerInode: string;
  readonly pids: readonly number[];
}

/** @param listing `u_str ESTAB 0 0 /run/vm.qmp 4711 * 4712 users:(("qemu",pid=12,fd=9))`, one socket a line. */
export function holderIn(listing: string, path: string): number | undefined {
  const rows = listing.split('\n').flatMap((line) => parseRow(line) ?? []);
  // A connection that waits in the backlog has the path too, but no process has accepted it yet.
  const served = rows.find((row) => row.path === path && row.pids.length > 0);
  if (served === undefined) return undefined;
  return rows.find((row) => row.inode === served.peerInode)?.pids[0];
}

function parseRow(line: string): SocketRow | undefined {
  const fields = /^u_str\s+ESTAB\s+\d+\s+\d+\s+(.+?)\s+(\d+)\s+\S+\s+(\d+)\s*(.*)$/.exec(line);
  if (fields === null) return undefined;
  const [, path = '', inode = '', peerInode = '', users = ''] = fields;
  const pids = [...users.matchAll(/pid=(\d+)/g)].map(([, pid]) => Number(pid));
  return { path, inode, peerInode, pids };
}
