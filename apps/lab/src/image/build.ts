import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LabError, LabErrorCode } from '../errors.js';
import { run } from '../host/run.js';
import { dom0Packages, type Profile } from '../profile.js';
import { bootLeftovers, writeBootFiles, writeGuestFiles } from './boot-files.js';
import { cacheDirectory, ensureDirectory } from './cache.js';
import { imageKey } from './key.js';
import { installNode } from './npm-packages.js';
import { downloadPackages, unpackPackages } from './packages.js';
import { configureRoot } from './root.js';

/** An image in the cache; nothing ever writes to these files again. */
export interface Image {
  readonly profile: Profile;
  readonly directory: string;
  readonly disk: string;
  readonly xen: string;
  readonly kernel: string;
  readonly initramfs: string;
}

/** What is being done, for a person who waits. `elapsedMs` counts from the beginning of the whole. */
export interface Progress {
  readonly step: string;
  readonly elapsedMs: number;
}

export interface ImageOptions {
  readonly profile: Profile;
  readonly cache?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Room in dom0's disk beyond what the packages take, for logs and for what a user installs; it is sparse. */
const freeSpaceBytes = 1024 * 1024 * 1024;

/**
 * The profile's image: from the cache, or built into it. A build takes about half a minute, most of it unpacking.
 * Throws LabError `LAB_NOT_ROOT`, `LAB_HOST_INCOMPLETE`, `LAB_HOST_COMMAND_FAILED`, `LAB_IMAGE_BUILD_FAILED`.
 */
export async function ensureImage(options: ImageOptions): Promise<Image> {
  const { profile } = options;
  const cache = options.cache ?? cacheDirectory();
  const directory = join(cache, `${profile.name}-${imageKey(profile)}`);
  await ensureDirectory(directory, (aside) => buildImage(aside, cache, options), options.signal);
  return {
    profile,
    directory,
    disk: join(directory, 'dom0.img'),
    xen: join(directory, 'xen'),
    kernel: join(directory, 'vmlinux'),
    initramfs: join(directory, 'initrd.img'),
  };
}

async function buildImage(directory: string, cache: string, options: ImageOptions): Promise<void> {
  const { profile, signal } = options;
  if (process.getuid?.() !== 0) {
    throw new LabError(LabErrorCode.notRoot, 'Building an image needs root (it unpacks a system). Run it with sudo.');
  }
  const startedMs = performance.now();
  const progress = (step: string) => options.onProgress?.({ step, elapsedMs: performance.now() - startedMs });
  const downloads = join(cache, 'downloads');
  const root = join(directory, 'root');
  const work = join(directory, 'apt');
  mkdirSync(root);
  mkdirSync(downloads, { recursive: true });

  progress(`downloading Debian ${profile.suite} packages`);
  const archives = await downloadPackages({
    suite: profile.suite,
    packages: dom0Packages(profile),
    workDirectory: work,
    archiveDirectory: join(downloads, profile.suite),
    signal,
  });
  progress(`unpacking ${archives.length} packages`);
  await unpackPackages(root, largestFirst(archives), signal);
  progress('adding Node and npm');
  await installNode(root, profile, downloads, signal);
  progress('configuring dom0');
  await configureRoot(root, profile, signal);
  progress("preparing the kernels and the guest's files");
  writeBootFiles(root, profile, directory);
  writeGuestFiles(root);
  for (const path of bootLeftovers(root)) rmSync(path);
  progress('writing the disk');
  await makeDisk(root, join(directory, 'dom0.img'), signal);
  writeFileSync(join(directory, 'packages.txt'), `${archives.map((path) => basename(path, '.deb')).join('\n')}\n`);
  rmSync(root, { recursive: true });
  rmSync(work, { recursive: true });
  progress('image complete');
}

function largestFirst(paths: readonly string[]): string[] {
  return [...paths].sort((a, b) => statSync(b).size - statSync(a).size);
}

async function makeDisk(root: string, path: string, signal?: AbortSignal): Promise<void> {
  let usedBytes = 0;
  let fileCount = 0;
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    fileCount++;
    if (!entry.isFile()) continue;
    // Blocks of 4 KiB.
    usedBytes += (statSync(join(entry.parentPath, entry.name)).size + 4095) & ~4095;
  }
  const sizeKib = Math.ceil((usedBytes * 1.1 + freeSpaceBytes) / 1024);
  const features = '^has_journal,^metadata_csum,^resize_inode';
  const inodes = String(fileCount + 65536);
  const args = ['-q', '-F', '-t', 'ext4', '-O', features, '-m', '0', '-N', inodes, '-E', 'lazy_itable_init=1'];
  await run('mke2fs', [...args, '-d', root, path, `${sizeKib}k`], { signal });
}
