import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lint, type LintFinding, type LintKind, lintKindOf } from '@xenpt/pci/grammar';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { Sysfs } from './host.js';

/** No file of these kinds is longer. */
const MAX_FILE_BYTES = 1024 * 1024;

export interface LintedFile {
  readonly path: string;
  readonly kind: LintKind;
  readonly findings: readonly LintFinding[];
}

/** Where the parameters of this boot, of the next ones and the guests are written. */
const hostFiles: readonly { readonly path: string; readonly kind: LintKind; readonly pattern?: RegExp }[] = [
  { path: '/proc/cmdline', kind: 'kernel' },
  { path: '/etc/default/grub', kind: 'kernel' },
  { path: '/etc/default/grub.d', kind: 'kernel', pattern: /\.cfg$/ },
  { path: '/etc/modprobe.d', kind: 'kernel', pattern: /\.conf$/ },
  { path: '/etc/xen', kind: 'xl', pattern: /\.cfg$/ },
  { path: '/etc/xen/auto', kind: 'xl', pattern: /./ },
  { path: '/etc/libvirt/libxl', kind: 'libvirt', pattern: /\.xml$/ },
];

/** Checks every file of this host, or of a captured tree, that names PCI devices. */
export function lintHost({ sysfs }: { readonly sysfs: Sysfs }): LintedFile[] {
  return hostFiles.flatMap(({ path, kind, pattern }) => {
    const folder = sysfs.root + path;
    const paths = pattern === undefined ? [folder] : namesIn(folder, pattern).map((name) => join(folder, name));
    return paths.flatMap((each) => {
      const text = readIfThere(each);
      return text === undefined ? [] : [{ path: each, kind, findings: lint(text, kind) }];
    });
  });
}

/**
 * Checks files by name, each as what it looks like or as `kind`.
 *
 * @throws XenOperationError XENPT_NO_SUCH_FILE
 */
export function lintFiles(paths: readonly string[], kind?: LintKind): LintedFile[] {
  return paths.map((path) => {
    const text = readIfThere(path);
    if (text === undefined) {
      throw new XenOperationError(XenErrorCode.noSuchFile, `there is no file ${path} of at most 1 MiB to read`, {
        next: 'Give the path of a file with a kernel command line, an xl.cfg, an other-config or a libvirt domain.',
      });
    }
    const found = kind ?? lintKindOf(text);
    return { path, kind: found, findings: lint(text, found) };
  });
}

function namesIn(folder: string, pattern: RegExp): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => pattern.test(name))
      .sort();
  } catch {
    return [];
  }
}

function readIfThere(path: string): string | undefined {
  try {
    const { size } = statSync(path);
    return size > MAX_FILE_BYTES ? undefined : readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'EACCES', 'ENOTDIR'].includes(errnoName(error) ?? '')) return undefined;
    throw error;
  }
}
