import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { XenUnavailableError } from './errors.js';
import type { Addon } from './native-types.js';

let loaded: Addon | undefined;

/**
 * The native addon of this package, loaded at the first call: `build/Release` of a working copy, else the prebuilt
 * one.
 * @throws XenUnavailableError when there is none for this machine, or it does not load.
 */
export function loadAddon(): Addon {
  loaded ??= requireAddon(addonPath());
  return loaded;
}

function requireAddon(path: string): Addon {
  if (!existsSync(path)) {
    throw new XenUnavailableError(path, `no native addon for ${platform()}-${arch()} is in this package`, buildStep);
  }
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new XenUnavailableError(path, `the native addon did not load (${reason})`, buildStep, { cause });
  }
}

const buildStep =
  'use Linux on x86-64 with glibc 2.36 or later, or build the addon in a working copy with "npm run native"';

function addonPath(): string {
  const root = packageRoot();
  const built = join(root, 'build/Release/xen_bindings.node');
  return existsSync(built) ? built : join(root, 'prebuilds', `${platform()}-${arch()}`, 'xen_bindings.node');
}

/** The nearest folder above this file with a package.json: the same from src/ and from dist/. */
function packageRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
  }
  return dirname(start);
}
