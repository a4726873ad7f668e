import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { copyFile, mkdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../host/run.js';
import type { Profile } from '../profile.js';

/** Puts Node (unless Debian's package has) and npm where a Debian user expects them. */
export async function installNode(root: string, profile: Profile, downloads: string, signal?: AbortSignal) {
  if (profile.node.kind === 'npm') {
    const unpacked = await unpackNpmPackage(profile.node.specifier, downloads, join(root, 'tmp'), signal);
    await copyFile(join(unpacked, 'bin/node'), join(root, 'usr/bin/node'));
    rmSync(unpacked, { recursive: true });
  }
  const npm = await unpackNpmPackage(profile.npm, downloads, join(root, 'tmp'), signal);
  const home = join(root, 'usr/lib/node_modules');
  await mkdir(home, { recursive: true });
  await rename(npm, join(home, 'npm'));
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/bin/npm'));
  await symlink('../lib/node_modules/npm/bin/npx-cli.js', join(root, 'usr/bin/npx'));
}

/** Downloads `name@version` once, verified by npm against its registry, and unpacks it; resolves with the folder. */
async function unpackNpmPackage(specifier: string, downloads: string, directory: string, signal?: AbortSignal) {
  const archive = join(downloads, `${specifier.replace('@', '-')}.tgz`);
  if (!existsSync(archive)) {
    const aside = `${archive}.${process.pid}`;
    mkdirSync(aside, { recursive: true });
    await run('npm', ['pack', '--silent', '--pack-destination', aside, specifier], { cwd: aside, signal });
    await rename(join(aside, `${specifier.replace('@', '-')}.tgz`), archive);
    rmSync(aside, { recursive: true });
  }
  const target = join(directory, specifier);
  mkdirSync(target, { recursive: true });
  const leftOut = ['include', 'share', 'docs', 'man'].map((name) => `--exclude=package/${name}`);
  await run('tar', ['-xzf', archive, '-C', target, '--strip-components=1', '--no-same-owner', ...leftOut], {
    signal,
  });
  return target;
}
