import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The libraries of Xen that we open, as the addon names them. */
export const LIBRARY_NAMES = ['xenevtchn', 'xenforeignmemory', 'xendevicemodel', 'xenctrl', 'xenstore'] as const;
export type LibraryName = (typeof LIBRARY_NAMES)[number];

/** Version of the hypervisor that runs below this kernel. */
export interface HypervisorVersion {
  readonly major: number;
  readonly minor: number;
}

interface LibraryFacts {
  /** Sonames with a stable ABI; libxenctrl has none and is asked for by version. */
  readonly sonames: readonly string[];
  /** What the library opens; the first one that matters when it cannot. */
  readonly deviceNode: string;
  /** Kernel module that makes the node. */
  readonly kernelModule: string;
}

export const libraryFacts: Readonly<Record<LibraryName, LibraryFacts>> = {
  xenevtchn: { sonames: ['libxenevtchn.so.1'], deviceNode: '/dev/xen/evtchn', kernelModule: 'xen-evtchn' },
  xenforeignmemory: {
    sonames: ['libxenforeignmemory.so.1'],
    deviceNode: '/dev/xen/privcmd',
    kernelModule: 'xen-privcmd',
  },
  xendevicemodel: {
    sonames: ['libxendevicemodel.so.1'],
    deviceNode: '/dev/xen/privcmd',
    kernelModule: 'xen-privcmd',
  },
  xenctrl: { sonames: [], deviceNode: '/dev/xen/privcmd', kernelModule: 'xen-privcmd' },
  xenstore: { sonames: ['libxenstore.so.4'], deviceNode: '/dev/xen/xenbus', kernelModule: 'xenfs' },
};

/** Releases whose libxenctrl declarations were compared with native/ctrl.h, newest first. */
const KNOWN_RELEASES: readonly HypervisorVersion[] = [21, 20, 19, 18, 17].map((minor) => ({ major: 4, minor }));

/**
 * What to try, in order, to open a library: for libxenctrl the release of the running hypervisor first, because it
 * refuses any other. A bare soname asks the linker; the paths after it are where Debian puts what the linker does
 * not search.
 */
export function libraryCandidates(
  name: LibraryName,
  hypervisor: HypervisorVersion | null,
  root = '/',
): readonly string[] {
  const sonames = name === 'xenctrl' ? controlSonames(hypervisor) : libraryFacts[name].sonames;
  const folders = libraryFolders(root);
  return sonames.flatMap((soname) => [soname, ...folders.map((folder) => join(folder, soname))]);
}

function controlSonames(hypervisor: HypervisorVersion | null): string[] {
  const releases = hypervisor === null ? KNOWN_RELEASES : [hypervisor, ...KNOWN_RELEASES];
  return [...new Set(releases.map(({ major, minor }) => `libxenctrl.so.${major}.${minor}`))];
}

/** /usr/lib/xen-X.Y/lib/<anything> and the multiarch folder, as far as they exist. */
function libraryFolders(root: string): string[] {
  const base = join(root, 'usr/lib');
  const releases = listFolder(base)
    .filter((entry) => entry.startsWith('xen-'))
    .map((entry) => join(base, entry, 'lib'));
  return [
    ...releases.flatMap((folder) => listFolder(folder).map((entry) => join(folder, entry))),
    join(base, 'x86_64-linux-gnu'),
  ];
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}

/** The running hypervisor's version from /sys/hypervisor, or null where there is none or it is not Xen. */
export function readHypervisor(root = '/'): HypervisorVersion | null {
  const folder = join(root, 'sys/hypervisor');
  if (readText(join(folder, 'type')) !== 'xen') return null;
  const major = Number(readText(join(folder, 'version/major')));
  const minor = Number(readText(join(folder, 'version/minor')));
  return Number.isInteger(major) && Number.isInteger(minor) ? { major, minor } : null;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}
