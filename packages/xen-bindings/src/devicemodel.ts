import { requireDomid, requireInteger, requireU16, requireU32, requireU64 } from './arguments.js';
import { openNative } from './availability.js';
import { calling } from './errors.js';
import type { IoRangeArguments, NativeDeviceModel, PcidevArguments } from './native-types.js';

/** HVM_IOREQSRV_BUFIOREQ_* (xen/include/public/hvm/dm_op.h). Off: every access is a synchronous request. */
export const BufferedRequests = { off: 0, legacy: 1, atomic: 2 } as const;
export type BufferedRequests = (typeof BufferedRequests)[keyof typeof BufferedRequests];

export type IoRangeKind = 'mmio' | 'port';

const PORT_MAX = 0xffffn;

/**
 * Ioreq servers of a domain: libxendevicemodel, `/dev/xen/privcmd`. Order: create, map the page, enable, bind the
 * event channels, claim addresses. A server outlives its process; only destroyIoreqServer() or the domain's end
 * removes it. Every method throws XenCallError when Xen refuses and XenError `XEN_CLOSED` after close().
 */
export class DeviceModel {
  readonly #native: NativeDeviceModel;

  private constructor(native: NativeDeviceModel) {
    this.#native = native;
  }

  /** @throws XenUnavailableError */
  static open(): DeviceModel {
    return new DeviceModel(openNative(['xendevicemodel'], (addon) => new addon.DeviceModel()));
  }

  /** Returns the server's id. Xen allows 8 per domain. */
  createIoreqServer(domid: number, bufioreq: BufferedRequests = BufferedRequests.off): number {
    requireDomid(domid);
    requireInteger('bufioreq', bufioreq, BufferedRequests.off, BufferedRequests.atomic);
    return calling(() => this.#native.xendevicemodel_create_ioreq_server(domid, bufioreq));
  }

  /** Frees the server's claims too, and lets vCPUs that wait for it go on (their reads give all ones). */
  destroyIoreqServer(domid: number, id: number): void {
    requireServer(domid, id);
    calling(() => this.#native.xendevicemodel_destroy_ioreq_server(domid, id));
  }

  /**
   * Enabling writes each vCPU's event channel into the page, if somebody has mapped the page by then; a server that
   * was enabled too early has to be disabled and enabled again. The domain is paused for a moment.
   */
  setIoreqServerState(domid: number, id: number, enabled: boolean): void {
    requireServer(domid, id);
    calling(() => this.#native.xendevicemodel_set_ioreq_server_state(domid, id, enabled ? 1 : 0));
  }

  /** Claims the guest's PCI function `sbdf` (segment << 16 | bus << 8 | device << 3 | function). */
  mapPcidev(domid: number, id: number, sbdf: number): void {
    const address = pcidevArguments(domid, id, sbdf);
    calling(() => this.#native.xendevicemodel_map_pcidev_to_ioreq_server(...address));
  }

  unmapPcidev(domid: number, id: number, sbdf: number): void {
    const address = pcidevArguments(domid, id, sbdf);
    calling(() => this.#native.xendevicemodel_unmap_pcidev_from_ioreq_server(...address));
  }

  /** Claims guest physical addresses or ports from `start` to `end`, both included. */
  mapIoRange(domid: number, id: number, kind: IoRangeKind, start: bigint, end: bigint): void {
    const range = ioRangeArguments(domid, id, kind, start, end);
    calling(() => this.#native.xendevicemodel_map_io_range_to_ioreq_server(...range));
  }

  unmapIoRange(domid: number, id: number, kind: IoRangeKind, start: bigint, end: bigint): void {
    const range = ioRangeArguments(domid, id, kind, start, end);
    calling(() => this.#native.xendevicemodel_unmap_io_range_from_ioreq_server(...range));
  }

  /** Number of vCPUs the domain was created with. */
  nrVcpus(domid: number): number {
    requireDomid(domid);
    return calling(() => this.#native.xendevicemodel_nr_vcpus(domid));
  }

  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function requireServer(domid: number, id: number): void {
  requireDomid(domid);
  requireU16('id', id);
}

function pcidevArguments(domid: number, id: number, sbdf: number): PcidevArguments {
  requireServer(domid, id);
  requireU32('sbdf', sbdf);
  return [domid, id, sbdf >>> 16, (sbdf >>> 8) & 0xff, (sbdf >>> 3) & 0x1f, sbdf & 0x7];
}

function ioRangeArguments(
  domid: number,
  id: number,
  kind: IoRangeKind,
  start: bigint,
  end: bigint,
): IoRangeArguments {
  requireServer(domid, id);
  requireU64('start', start);
  requireU64('end', end);
  if (end < start) throw new RangeError(`end is ${end}, before start ${start}; both are included`);
  if (kind === 'port' && end > PORT_MAX) throw new RangeError(`end is ${end}; the last port is ${PORT_MAX}`);
  return [domid, id, kind === 'mmio' ? 1 : 0, start, end];
}
