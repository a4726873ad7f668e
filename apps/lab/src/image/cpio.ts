/** A file, folder or link of an initramfs. */
export interface CpioEntry {
  readonly path: string;
  /** Type and permission bits of stat(2): 0o100755, 0o040755, … */
  readonly mode: number;
  readonly content?: Uint8Array;
}

const trailer = 'TRAILER!!!';

/**
 * An archive in cpio's "newc" format, which the kernel unpacks as initramfs
 * (Linux Documentation/driver-api/early-userspace/buffer-format.rst). Archives may be put one after the other.
 * Missing parent folders are added.
 */
export function createCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  let inode = 0;
  for (const entry of withParents(entries)) parts.push(record(entry, ++inode));
  parts.push(record({ path: trailer, mode: 0 }, 0));
  return Buffer.concat(parts);
}

/** A regular file of an archive. */
export function cpioFile(path: string, content: Uint8Array, permissions = 0o644): CpioEntry {
  return { path, mode: 0o100000 | permissions, content };
}

/** A folder of an archive. */
export function cpioDirectory(path: string): CpioEntry {
  return { path, mode: 0o040755 };
}

/** A symbolic link of an archive. */
export function cpioLink(path: string, target: string): CpioEntry {
  return { path, mode: 0o120777, content: Buffer.from(target) };
}

function withParents(entries: readonly CpioEntry[]): CpioEntry[] {
  const seen = new Set(entries.map((entry) => entry.path));
  const all: CpioEntry[] = [];
  for (const entry of entries) {
    const folders = entry.path.split('/').slice(0, -1);
    folders.forEach((_, index) => {
      const folder = folders.slice(0, index + 1).join('/');
      if (seen.has(folder)) return;
      seen.add(folder);
      all.push(cpioDirectory(folder));
    });
    all.push(entry);
  }
  return all;
}

// magic | ino | mode | uid | gid | nlink | mtime | filesize | devmajor | devminor | rdevmajor | rdevminor | namesize |
// check
function record(entry: CpioEntry, inode: number): Buffer {
  const content = Buffer.from(entry.content ?? new Uint8Array());
  const name = Buffer.from(`${entry.path}\0`);
  const fields = [inode, entry.mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(content)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
