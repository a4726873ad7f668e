import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LabError, LabErrorCode } from '../errors.js';

/** A kernel module's name as `lsmod` shows it, and its plain (not compressed) ELF file. */
export interface KernelModule {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * The files of `modules.dep` that a module needs, in the order in which they can be loaded; empty if it is built in.
 * `modulesDep` and `modulesBuiltin` are the texts of those files (modules.dep(5)).
 */
export function loadOrder(name: string, modulesDep: string, modulesBuiltin: string): string[] {
  for (const line of modulesDep.split('\n')) {
    const [path = '', rest = ''] = line.split(':');
    if (moduleName(path) !== normalized(name)) continue;
    // The dependencies of a module stand with the deepest last.
    return [...rest.split(' ').filter(Boolean).reverse(), path];
  }
  if (modulesBuiltin.split('\n').some((path) => moduleName(path) === normalized(name))) return [];
  throw new LabError(LabErrorCode.imageBuildFailed, `The kernel of the image has no module "${name}".`);
}

/** The modules `names` with everything they need, in loading order, each once. `directory` is /lib/modules/VERSION. */
export function readModules(directory: string, names: readonly string[]): KernelModule[] {
  const modulesDep = readFileSync(join(directory, 'modules.dep'), 'utf8');
  const modulesBuiltin = readFileSync(join(directory, 'modules.builtin'), 'utf8');
  const paths = new Set(names.flatMap((name) => loadOrder(name, modulesDep, modulesBuiltin)));
  return [...paths].map((path) => ({ name: moduleName(path), content: readModule(join(directory, path)) }));
}

function moduleName(path: string): string {
  return normalized(basename(path).replace(/\.ko(\.\w+)?$/, ''));
}

function normalized(name: string): string {
  return name.replaceAll('-', '_');
}

function readModule(path: string): Buffer {
  const content = readFileSync(path);
  if (path.endsWith('.xz')) return unpack('xz', content);
  if (path.endsWith('.zst')) return unpack('zstd', content);
  return content;
}

/** Bytes through `xz -dc` or another filter of that kind. Bytes after the compressed stream are ignored. */
export function unpack(command: string, packed: Uint8Array): Buffer {
  const { stdout, error, stderr } = spawnSync(command, ['-dcq'], { input: packed, maxBuffer: 512 * 1024 * 1024 });
  if (stdout?.length > 0) return stdout;
  const reason = error?.message ?? stderr?.toString().trim();
  throw new LabError(LabErrorCode.imageBuildFailed, `"${command}" cannot unpack a file of the kernel: ${reason}.`, {
    cause: error,
  });
}
