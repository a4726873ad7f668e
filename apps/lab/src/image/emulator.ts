import { join } from 'node:path';
import { run } from '../host/run.js';
import type { Profile } from '../profile.js';
import { fetchQemu, type FetchOptions } from './qemus.js';

/** This system's, found by its PATH. */
export const systemEmulator = 'qemu-system-x86_64';

/** The suite whose QEMU runs them all. */
const olderSuite = 'bookworm';

/**
 * Under QEMU 10.0.13 without KVM every guest of Xen 4.17 ends in its first second: good data becomes bad in its
 * processor, at the XZ unpacker or right after. Under 7.2 none does; nor any of Xen 4.20 under either.
 *
 * @param version what `qemu-system-x86_64 --version` prints
 */
export function needsOlderEmulator({ xenVersion }: Pick<Profile, 'xenVersion'>, version: string): boolean {
  const major = Number(/version (\d+)\./.exec(version)?.[1]);
  return xenVersion === '4.17' && major >= 8;
}

/**
 * The QEMU program for a profile's machine: this system's, or Debian 12's in the cache, fetched at the first need.
 *
 * @throws LabError when it can not be fetched
 */
export async function findEmulator(profile: Profile, options: FetchOptions = {}): Promise<string> {
  const version = await run(systemEmulator, ['--version'], { timeoutMs: 30_000 });
  if (!needsOlderEmulator(profile, version)) return systemEmulator;
  const { directory, failure } = await fetchQemu(olderSuite, options);
  if (failure) throw failure;
  return join(directory, 'programs', systemEmulator);
}
