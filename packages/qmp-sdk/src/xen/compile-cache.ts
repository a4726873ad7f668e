import { lstatSync, mkdirSync } from 'node:fs';
import { geteuid } from 'node:process';

/** Where `xenpt` and its device models keep compiled code. */
export const CACHE_DIR = '/var/cache/xenpt';

/**
 * What has a Node from 22 on keep the code that it compiled for the next process; one before it takes no notice. Node
 * looks at its version and at a checksum of each file and of what it kept of it, and compiles anew what does not match.
 *
 * @returns nothing where others could write: what lies there is run
 */
export function compileCache(folder: string | undefined): Readonly<Record<string, string>> {
  if (folder === undefined) return {};
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const state = lstatSync(folder);
    const isOurs = state.isDirectory() && state.uid === geteuid?.() && (state.mode & 0o022) === 0;
    return isOurs ? { NODE_COMPILE_CACHE: folder } : {};
  } catch {
    // A start without a cache is slower, nothing else.
    return {};
  }
}
