import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { XenptError } from '@xenpt/qmp-sdk';
import { FILE_ERROR } from './input-file.js';

/**
 * Writes a file that a person named: beside its place and renamed, so that an interrupted or failed write leaves no
 * half of it.
 *
 * @param pid makes the name beside it nobody else's
 * @throws XenptError XENPT_FILE
 */
export function writeOutput(path: string, content: string | Uint8Array, pid: number): void {
  const aside = `${path}.${pid}.part`;
  try {
    writeFileSync(aside, content);
    renameSync(aside, path);
  } catch (cause) {
    rmSync(aside, { force: true });
    const { code = '' } = cause as NodeJS.ErrnoException;
    const known: Readonly<Record<string, string>> = {
      ENOENT: 'its folder is not there',
      EISDIR: 'it is a folder',
      EACCES: 'this user may not write there',
      ENOSPC: 'the disk is full',
      EROFS: 'its file system is read-only',
    };
    const why = known[code] ?? (cause instanceof Error ? cause.message : String(cause));
    throw new XenptError(FILE_ERROR, `${path} cannot be written: ${why}`, { next: 'Name another place.', cause });
  }
}
