import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Scripts that run inside the lab. The folder is a sibling of both `src` and `dist`, so this holds in either. */
export const assetsDirectory = fileURLToPath(new URL('../assets/', import.meta.url));

/** One file that is put into an image: its path below the assets folder and its bytes. */
export interface Asset {
  readonly path: string;
  readonly content: Buffer;
}

/** All assets, in a stable order. */
export function readAssets(directory: string = assetsDirectory): Asset[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length))
    .sort()
    .map((path) => ({ path, content: readFileSync(join(directory, path)) }));
}
