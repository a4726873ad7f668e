import { unexpectedResult } from './errors.js';
import type { QmpMonitor, ResultOf } from './monitor.js';

/** One drive that QEMU gives a guest. */
export interface BlockDevice {
  /** QEMU's name of the drive: `ide0-hd0`; '' when it was made with `blockdev-add`. */
  readonly name: string;
  /** Id or path of the device of the guest that it belongs to; undefined when none does. */
  readonly device: string | undefined;
  readonly removable: boolean;
  /** undefined: no medium. */
  readonly medium: Medium | undefined;
}

export interface Medium {
  readonly node: string | undefined;
  /** As QEMU names it: a path, or `json:{…}`. */
  readonly source: string;
  /** `raw`, `qcow2`, `host_device`, … */
  readonly format: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
}

/** The drives of a guest (`query-block`), without those that no device uses if they have no name either. */
export async function listBlockDevices(monitor: QmpMonitor): Promise<BlockDevice[]> {
  const drives = await monitor.raw<ResultOf<'query-block'>>('query-block');
  if (!Array.isArray(drives)) throw unexpectedResult('query-block', 'list');
  return drives.map(({ device, qdev, removable, inserted }) => ({
    name: device,
    device: qdev,
    removable,
    medium: inserted && {
      node: inserted['node-name'],
      source: inserted.file,
      format: inserted.drv,
      sizeBytes: inserted.image['virtual-size'],
      readOnly: inserted.ro,
    },
  }));
}
