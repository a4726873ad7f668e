import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackTree, writeTree } from '@xenpt/pci/sysfs';

export interface CapturedTree {
  readonly root: string;
  close(): void;
}

/**
 * A captured tree: a folder as it is; an archive of `xenpt bundle` unpacked beside others that are only for a while.
 *
 * @throws PciError `TREE_ARCHIVE_INVALID`
 */
export function openCapturedTree(path: string): CapturedTree {
  if (!isFile(path)) return { root: path, close: () => {} };
  const entries = unpackTree(readFileSync(path));
  const root = mkdtempSync(join(tmpdir(), 'xenpt-bundle-'));
  const close = () => rmSync(root, { recursive: true, force: true });
  try {
    writeTree(root, entries);
    return { root, close };
  } catch (error) {
    close();
    throw error;
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
