import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Progress } from './build.js';
import { cacheDirectory, ensureDirectory } from './cache.js';
import { downloadPackages, unpackPackages } from './packages.js';

/** The QEMUs that Debian ships: 7.2, 10.0 and 11.1, each as the full build and as Xen's. */
const suites = ['bookworm', 'trixie', 'trixie-backports'] as const;
const qemuPackages = ['qemu-system-x86', 'qemu-system-xen'];

/** A small Linux to run in them; kept as packages, of one suite. */
const guestSuite = 'bookworm';
const guestPackages = ['linux-image-amd64', 'busybox-static'];

/** The programs of a QEMU's folder: what it is called, and where its package puts it. */
const programs = {
  'qemu-system-x86_64': 'usr/bin/qemu-system-x86_64',
  'xen-qemu-system-i386': 'usr/libexec/xen-qemu-system-i386',
};

export interface FetchedQemu {
  readonly suite: string;
  /** Its programs are in `programs` below it. */
  readonly directory: string;
  /** Why it is not there. */
  readonly failure: Error | undefined;
}

export interface FetchOptions {
  readonly cache?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Each Debian's QEMU. One that can not be had does not keep the others away. */
export async function fetchQemus(options: FetchOptions = {}): Promise<FetchedQemu[]> {
  const fetched: FetchedQemu[] = [];
  for (const suite of suites) fetched.push(await fetchQemu(suite, options));
  return fetched;
}

/**
 * One Debian's QEMU with the libraries of that Debian, verified by apt and unpacked into the cache once. By its own
 * loader it runs on any Linux, and it needs no root.
 */
export async function fetchQemu(suite: (typeof suites)[number], options: FetchOptions = {}): Promise<FetchedQemu> {
  const { cache = cacheDirectory(), signal, onProgress } = options;
  const startedMs = performance.now();
  const directory = join(cache, 'qemus', suite);
  const progress = (step: string) => onProgress?.({ step, elapsedMs: performance.now() - startedMs });
  let failure: Error | undefined;
  try {
    await ensureDirectory(directory, (aside) => build(suite, aside, cache, progress, signal), signal);
  } catch (cause) {
    failure = cause as Error;
  }
  return { suite, directory, failure };
}

async function build(
  suite: string,
  directory: string,
  cache: string,
  progress: (step: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const work = join(directory, 'apt');
  progress(`downloading QEMU of Debian ${suite}`);
  const archives = await downloadPackages({
    suite,
    packages: suite === guestSuite ? [...qemuPackages, ...guestPackages] : qemuPackages,
    workDirectory: work,
    archiveDirectory: join(cache, 'downloads', suite),
    signal,
  });
  progress(`unpacking ${archives.length} packages`);
  // The kernel stays packed: who boots it wants a few of its files.
  await unpackPackages(
    directory,
    archives.filter((path) => !basename(path).startsWith('linux-image-')),
    signal,
  );
  mkdirSync(join(directory, 'programs'));
  for (const [name, path] of Object.entries(programs)) {
    writeFileSync(join(directory, 'programs', name), startScript(path), { mode: 0o755 });
  }
  rmSync(work, { recursive: true });
}

/** Starts a program of the folder above with that folder's libraries, modules and firmware, and becomes it. */
function startScript(program: string): string {
  return `#!/bin/sh
root=$(dirname "$(dirname "$(readlink -f "$0")")")
libraries=$root/usr/lib/x86_64-linux-gnu
export QEMU_MODULE_DIR="$libraries/qemu"
exec "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$root/${program}" \\
  -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" -L "$root/usr/lib/ipxe/qemu" "$@"
`;
}
