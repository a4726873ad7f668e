import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
export const addonPath = join(packageRoot, 'build/Release/xen_bindings.node');

/** Sonames under which the fakes stand in for the real libraries. */
const fakeSonames = {
  'libxenevtchn.c': 'libxenevtchn.so.1',
  'libxenforeignmemory.c': 'libxenforeignmemory.so.1',
  'libxendevicemodel.c': 'libxendevicemodel.so.1',
  'libxenctrl.c': 'libxenctrl.so.4.17',
  'libxenstore.c': 'libxenstore.so.4',
} as const;

/** Builds the addon if there is none. Test files run side by side, so one of them builds and the others wait. */
export async function ensureAddon(): Promise<void> {
  const lock = join(packageRoot, '.native-build.lock');
  for (let attempt = 0; !existsSync(addonPath); attempt += 1) {
    if (attempt > 1200) throw new Error(`another process has been building the addon for 2 minutes; remove ${lock}`);
    if (!takeLock(lock)) await setTimeout(100);
    else buildAddon(lock);
  }
}

function takeLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx'));
    return true;
  } catch {
    return false;
  }
}

function buildAddon(lock: string): void {
  try {
    execFileSync(process.execPath, [join(packageRoot, 'scripts/build-native.mjs')], { stdio: 'pipe' });
  } finally {
    rmSync(lock);
  }
}

/** Folder with the fake libraries; `oldRelease` leaves out what older releases lack. */
export function compileFakeXen(oldRelease = false): string {
  const sources = join(packageRoot, 'test/support/fake-xen');
  return makeOnce(`fake-xen${oldRelease ? '-old' : ''}`, sources, (folder) => {
    for (const [source, soname] of Object.entries(fakeSonames)) {
      const options = ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', `-Wl,-soname,${soname}`];
      if (oldRelease) options.push('-DOLD_RELEASE');
      execFileSync('cc', [...options, '-o', join(folder, soname), join(sources, source)], { stdio: 'pipe' });
    }
  });
}

/** Folder with src/ as JavaScript, for processes that cannot load TypeScript. */
export function compileSources(): string {
  const sources = join(packageRoot, 'src');
  return makeOnce('sources', sources, (folder) => {
    for (const name of readdirSync(sources)) {
      const { outputText } = ts.transpileModule(readFileSync(join(sources, name), 'utf8'), {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
      });
      writeFileSync(join(folder, name.replace(/\.ts$/, '.js')), outputText);
    }
  });
}

/**
 * A folder below build/ named after the content of `sources`; made aside and renamed, so it is whole or not there.
 */
function makeOnce(name: string, sources: string, make: (folder: string) => void): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(sources).sort()) hash.update(file).update(readFileSync(join(sources, file)));
  const target = join(packageRoot, 'build', `test-${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(target)) return target;
  mkdirSync(join(packageRoot, 'build'), { recursive: true });
  const folder = mkdtempSync(`${target}-`);
  make(folder);
  try {
    renameSync(folder, target);
  } catch (error) {
    if (!statSync(target, { throwIfNoEntry: false })?.isDirectory()) throw error;
    rmSync(folder, { recursive: true }); // another test file was quicker
  }
  return target;
}
