import { PciError, type PciErrorCode, type PciErrorDetails } from '../errors.js';

/** A file of the host's inventory that could not be read, written or understood. */
export class SysfsError extends PciError {
  override name = 'SysfsError';
  readonly path: string;

  constructor(code: PciErrorCode, path: string, details: PciErrorDetails) {
    super(code, details);
    this.path = path;
  }
}

/** Turns a failed system call on `path` into a {@link SysfsError} with its cause. */
export function sysfsFailure(path: string, action: 'read' | 'written' | 'opened', cause: unknown): SysfsError {
  const errno = errnoName(cause);
  if (errno === 'EACCES' || errno === 'EPERM') {
    return new SysfsError('SYSFS_ACCESS_DENIED', path, {
      problem: `${path} cannot be ${action}: ${errno}.`,
      nextStep: 'Run as root in dom0; as root, look for kernel lockdown in /sys/kernel/security/lockdown.',
      cause,
    });
  }
  if (isAbsent(cause)) {
    return new SysfsError('SYSFS_FUNCTION_NOT_FOUND', path, {
      problem: `${path} is not there: the host has no such PCI function, or it was removed.`,
      nextStep: 'List the functions of this host with `xenpt list`.',
      cause,
    });
  }
  return new SysfsError('SYSFS_IO', path, {
    problem: `${path} cannot be ${action}: ${errno ?? String(cause)}.`,
    nextStep: 'Look in the kernel log (dmesg) for the reason.',
    cause,
  });
}

/** What a file holds is not what the kernel writes there. */
export function malformed(path: string, problem: string): SysfsError {
  return new SysfsError('SYSFS_MALFORMED', path, {
    problem: `${path}: ${problem}.`,
    nextStep: 'Nothing was guessed from it; compare the file with the kernel’s documentation of sysfs-bus-pci.',
  });
}

/** ENOENT before the function was there, ENODEV and ENOTDIR when it goes in between. */
export function isAbsent(cause: unknown): boolean {
  return ['ENOENT', 'ENODEV', 'ENOTDIR'].includes(errnoName(cause) ?? '');
}

function errnoName(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}
