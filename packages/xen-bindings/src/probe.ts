import { existsSync } from 'node:fs';
import { loadAddon } from './addon.js';
import { deviceStep, isAccessible, libraryMissing } from './availability.js';
import {
  type HypervisorVersion,
  LIBRARY_NAMES,
  type LibraryName,
  libraryCandidates,
  libraryFacts,
  readHypervisor,
} from './libraries.js';
import type { Addon } from './native-types.js';

export interface LibraryProbe {
  /** File name without version, e.g. `libxenctrl`. */
  readonly name: string;
  /** What was loaded: a soname or a path. Null: not loaded. */
  readonly soname: string | null;
  /** Why it was not loaded. */
  readonly error: string | null;
}

export interface DeviceNodeProbe {
  readonly path: string;
  readonly present: boolean;
}

export interface Probe {
  readonly hypervisor: HypervisorVersion | null;
  readonly libraries: readonly LibraryProbe[];
  readonly deviceNodes: readonly DeviceNodeProbe[];
  /** True when `missing` is empty. Whether this domain may control others, only a call can tell. */
  readonly usable: boolean;
  /** One sentence for each thing that is missing, with the next step. */
  readonly missing: readonly string[];
}

const STORE_SOCKET = '/run/xenstored/socket';

/** What of Xen is on this machine. Opens the libraries, calls none of them, and never throws. */
export function probe(): Probe {
  const hypervisor = readHypervisor();
  const addon = tryAddon();
  const libraries = LIBRARY_NAMES.map((name) => probeLibrary(addon, name, hypervisor));
  const deviceNodes = ['/dev/xen/privcmd', '/dev/xen/evtchn', '/dev/xen/xenbus', STORE_SOCKET].map((path) => ({
    path,
    present: existsSync(path),
  }));
  const missing = [
    ...(addon instanceof Error ? [addon.message] : []),
    ...(hypervisor === null
      ? [`Xen is not running. Next step: ${deviceStep('xenctrl', 'ENOENT', null, false)}.`]
      : []),
    ...missingLibraries(addon, libraries, hypervisor),
    ...otherRelease(libraries, hypervisor),
    ...(hypervisor === null ? [] : missingNodes(hypervisor)),
  ];
  return { hypervisor, libraries, deviceNodes, usable: missing.length === 0, missing };
}

function tryAddon(): Addon | Error {
  try {
    return loadAddon();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function probeLibrary(
  addon: Addon | Error,
  library: LibraryName,
  hypervisor: HypervisorVersion | null,
): LibraryProbe {
  const name = `lib${library}`;
  if (addon instanceof Error) return { name, soname: null, error: addon.message };
  return { name, ...addon.load(library, libraryCandidates(library, hypervisor)) };
}

function missingLibraries(
  addon: Addon | Error,
  probes: readonly LibraryProbe[],
  hypervisor: HypervisorVersion | null,
): string[] {
  if (addon instanceof Error) return []; // nothing is known about them, and the addon comes first
  return LIBRARY_NAMES.flatMap((library, index) => {
    const error = probes[index]?.error ?? null;
    return error === null ? [] : [libraryMissing(library, error, hypervisor).message];
  });
}

/** A libxenctrl of another release loads, and then every call of it fails. */
function otherRelease(probes: readonly LibraryProbe[], hypervisor: HypervisorVersion | null): string[] {
  const soname = probes[LIBRARY_NAMES.indexOf('xenctrl')]?.soname ?? null;
  if (soname === null || hypervisor === null) return [];
  if (soname.endsWith(`.so.${hypervisor.major}.${hypervisor.minor}`)) return [];
  return [libraryMissing('xenctrl', `${soname} belongs to another release than the running Xen`, hypervisor).message];
}

/** Nodes that must be there, and open to us, once Xen runs. Xenstore is reached by its socket or by xenbus. */
function missingNodes(hypervisor: HypervisorVersion): string[] {
  const needed = [
    { library: 'xenctrl', paths: ['/dev/xen/privcmd'] },
    { library: 'xenevtchn', paths: ['/dev/xen/evtchn'] },
    { library: 'xenstore', paths: [STORE_SOCKET, '/dev/xen/xenbus'] },
  ] as const;
  return needed.flatMap(({ library, paths }) => {
    if (paths.some(isAccessible)) return [];
    const present = paths.some((path) => existsSync(path));
    const path = libraryFacts[library].deviceNode;
    const step = deviceStep(library, present ? 'EACCES' : 'ENOENT', hypervisor, present);
    return [`${path}: ${present ? 'not open to this user' : 'missing'}. Next step: ${step}.`];
  });
}
