import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

/** What the lab keeps from run to run; `npm test` has it filled (`xenpt-lab fetch-qemus`). */
export const labCache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'xenpt-lab');

/** Why a QEMU that is not here is not: `npm test` says it. */
export const whyNoQemu = `not installed, and not in ${labCache}/qemus: npm test fetches it there`;

/** A skipped test shows nothing: in CI a QEMU that is not there is a failure. */
export const mustHaveQemus = (process.env['CI'] ?? '') !== '';

export interface QemuProgram {
  /** What starts it, with its first arguments. */
  readonly command: readonly string[];
  /** `10.0`. */
  readonly version: string;
  /** `qemu-system-x86_64`, or Xen's `xen-qemu-system-i386`. */
  readonly binary: string;
}

/** Every QEMU of this machine and of the cache that starts, those of the machine first. */
export const qemuPrograms: readonly QemuProgram[] = [
  ['qemu-system-x86_64'],
  ['/usr/libexec/xen-qemu-system-i386'],
  ...fetched(),
  ...named(),
].flatMap((command) => {
  const version = versionOf(command);
  return version === undefined ? [] : [{ command, version, binary: basename(command.at(-1) ?? '') }];
});

function fetched(): string[][] {
  const folder = join(labCache, 'qemus');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((suite) => {
      const programs = join(folder, suite, 'programs');
      return existsSync(programs) ? readdirSync(programs).map((name) => [join(programs, name)]) : [];
    });
}

/**
 * Others, as commands separated by `;`. A QEMU of another Debian needs a root with its packages:
 * `XENPT_TEST_QEMU='chroot /srv/trixie qemu-system-x86_64'`.
 */
function named(): string[][] {
  const commands = (process.env['XENPT_TEST_QEMU'] ?? '').split(';').map((command) => command.trim());
  return commands.filter((command) => command !== '').map((command) => command.split(/\s+/));
}

function versionOf([file = '', ...args]: readonly string[]): string | undefined {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    const output = execFileSync(file, [...args, '--version'], { encoding: 'utf8', stdio });
    return /version (\d+\.\d+)/.exec(output)?.[1];
  } catch {
    return undefined;
  }
}
