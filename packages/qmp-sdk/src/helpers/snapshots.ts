import type { QmpMonitor } from './monitor.js';
import { type JobOptions, type QmpJob, startJob } from './jobs.js';

/**
 * A snapshot inside the images of a guest: memory and devices in `vmstate`, disks in `devices` (block node names).
 */
export interface SnapshotOptions extends JobOptions {
  readonly tag: string;
  /** The block node that the memory and the devices' state are in. */
  readonly vmstate: string;
  /** The block nodes to snapshot; each has to be able to (qcow2). */
  readonly devices: readonly string[];
}

/** Saves a snapshot of a guest, which stands still meanwhile (`snapshot-save`, since QEMU 6.0). */
export function saveSnapshot(monitor: QmpMonitor, options: SnapshotOptions): Promise<QmpJob> {
  const { tag, vmstate, devices } = options;
  return startJob(monitor, 'snapshot-save', { tag, vmstate, devices: [...devices] }, options);
}

/** Puts a guest back to a snapshot. Stop it before (`stop`), and start it after (`cont`). */
export function loadSnapshot(monitor: QmpMonitor, options: SnapshotOptions): Promise<QmpJob> {
  const { tag, vmstate, devices } = options;
  return startJob(monitor, 'snapshot-load', { tag, vmstate, devices: [...devices] }, options);
}

export function deleteSnapshot(monitor: QmpMonitor, options: Omit<SnapshotOptions, 'vmstate'>): Promise<QmpJob> {
  const { tag, devices } = options;
  return startJob(monitor, 'snapshot-delete', { tag, devices: [...devices] }, options);
}
