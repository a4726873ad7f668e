import { XenErrorCode, XenOperationError } from './errors.js';

/** One operation holds the lock while a guest's device model starts, which takes seconds on a slow dom0. */
export const LOCK_TIMEOUT_MS = 120_000;

/** @throws XenOperationError XENPT_NOT_ROOT */
export function requireRoot(host: { readonly isRoot: boolean }, task: string): void {
  if (host.isRoot) return;
  throw new XenOperationError(XenErrorCode.notRoot, `only root may ${task}`, {
    next: 'Run the same command with sudo.',
  });
}
