import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';

export interface AtomicWriteOptions {
  /** Where it is written before it is renamed. Default: the path with `.new`. */
  readonly aside?: string;
  /** Whose it becomes. Default: this process's user. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Called when the new file is on disk; what it throws leaves the old one. */
  readonly beforeRename?: () => void;
}

/** Replaces a file as a whole, and on disk before it returns. */
export function writeAtomically(
  path: string,
  text: string | Uint8Array,
  mode: number = 0o600,
  { aside = `${path}.new`, owner, beforeRename }: AtomicWriteOptions = {},
): void {
  rmSync(aside, { force: true });
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = openSync(aside, flags, mode);
  try {
    try {
      if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
      // Whatever umask there is: what udev and systemd read, they have to be able to read.
      fchmodSync(fd, mode);
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    beforeRename?.();
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

/** Makes the names in a folder as durable as the files. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
