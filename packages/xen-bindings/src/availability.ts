import { constants, accessSync, existsSync } from 'node:fs';
import { loadAddon } from './addon.js';
import { XenCallError, XenUnavailableError, fromNative } from './errors.js';
import {
  type HypervisorVersion,
  type LibraryName,
  libraryCandidates,
  libraryFacts,
  readHypervisor,
} from './libraries.js';
import type { Addon } from './native-types.js';

/** errno values of an `open` function that mean "not on this machine, or not for this user". */
const unavailableErrnos = new Set(['ENOENT', 'ENODEV', 'ENXIO', 'EACCES', 'EPERM', 'ECONNREFUSED', 'ENOSYS']);

/**
 * Loads the libraries and opens a native handle with `open`.
 * @throws XenUnavailableError naming the library or device node that is missing; XenCallError for any other failure.
 */
export function openNative<Handle>(libraries: readonly LibraryName[], open: (addon: Addon) => Handle): Handle {
  const addon = loadAddon();
  for (const library of libraries) requireLibrary(addon, library);
  try {
    return open(addon);
  } catch (thrown) {
    const error = fromNative(thrown);
    throw error instanceof XenCallError ? withDeviceNode(error) : error;
  }
}

function requireLibrary(addon: Addon, library: LibraryName): void {
  const hypervisor = readHypervisor();
  const { error } = addon.load(library, libraryCandidates(library, hypervisor));
  if (error !== null) throw libraryMissing(library, error, hypervisor);
}

export function libraryMissing(
  library: LibraryName,
  reason: string,
  hypervisor: HypervisorVersion | null,
): XenUnavailableError {
  return new XenUnavailableError(`lib${library}`, reason, installStep(hypervisor));
}

/** How to get the libraries, for the hypervisor that runs or for none. */
function installStep(hypervisor: HypervisorVersion | null): string {
  if (hypervisor === null) return `${bootStep} (this installs the libraries too)`;
  const release = `${hypervisor.major}.${hypervisor.minor}`;
  return `install the Xen tools of release ${release} (Debian: apt-get install xen-utils-${release})`;
}

const bootStep = 'boot this machine under Xen (Debian: apt-get install xen-system-amd64, then reboot)';

/** Of which library an `open` function is. */
function libraryOf(call: string): LibraryName | undefined {
  if (call === 'xenevtchn_open') return 'xenevtchn';
  if (call === 'xenforeignmemory_open') return 'xenforeignmemory';
  if (call === 'xendevicemodel_open') return 'xendevicemodel';
  if (call === 'xc_interface_open') return 'xenctrl';
  if (call === 'xs_open') return 'xenstore';
  return undefined;
}

function withDeviceNode(error: XenCallError): XenCallError | XenUnavailableError {
  const library = libraryOf(error.call);
  if (library === undefined || !unavailableErrnos.has(error.errnoName)) return error;
  const { deviceNode } = libraryFacts[library];
  const reason = `${error.call} failed with ${error.errnoName}`;
  const step = deviceStep(library, error.errnoName, readHypervisor(), existsSync(deviceNode));
  return new XenUnavailableError(deviceNode, reason, step, { cause: error });
}

/** What to do when a library cannot open what it needs. Pure. */
export function deviceStep(
  library: LibraryName,
  errnoName: string,
  hypervisor: HypervisorVersion | null,
  nodePresent: boolean,
): string {
  if (hypervisor === null) return bootStep;
  if (errnoName === 'EACCES' || errnoName === 'EPERM') return 'run as root';
  if (library === 'xenstore') return 'start xenstored (Debian: systemctl start xen), in dom0';
  if (!nodePresent) return `modprobe ${libraryFacts[library].kernelModule}`;
  return 'run in dom0: only the control domain may do this';
}

/** True when the node can be opened for reading and writing by this process. */
export function isAccessible(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
