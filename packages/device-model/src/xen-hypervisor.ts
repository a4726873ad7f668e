import { formatSbdf } from '@xenpt/pci';
import type { Control, DeviceModel as DeviceModelCalls } from '@xenpt/xen-bindings';
import type { Hypervisor, MessageRequest } from './hypervisor.js';

export interface XenHypervisorOptions {
  readonly domid: number;
  readonly serverId: number;
  readonly control: Control;
  readonly calls: DeviceModelCalls;
}

/** Every passed-through function stands on guest segment 0, bus 0: the claim is its devfn, an INTx is raised there. */
const guestBus = 0;

/** libxenctrl and libxendevicemodel for one domain and one ioreq server. */
export class XenHypervisor implements Hypervisor {
  readonly #domid: number;
  readonly #serverId: number;
  readonly #control: Control;
  readonly #calls: DeviceModelCalls;

  constructor(options: XenHypervisorOptions) {
    this.#domid = options.domid;
    this.#serverId = options.serverId;
    this.#control = options.control;
    this.#calls = options.calls;
  }

  claimFunction(guestDevfn: number): void {
    this.#calls.mapPcidev(this.#domid, this.#serverId, guestDevfn);
  }

  releaseFunction(guestDevfn: number): void {
    this.#calls.unmapPcidev(this.#domid, this.#serverId, guestDevfn);
  }

  claimMemory(start: bigint, end: bigint): void {
    this.#calls.mapIoRange(this.#domid, this.#serverId, 'mmio', start, end);
  }

  releaseMemory(start: bigint, end: bigint): void {
    this.#calls.unmapIoRange(this.#domid, this.#serverId, 'mmio', start, end);
  }

  claimPorts(start: number, end: number): void {
    this.#calls.mapIoRange(this.#domid, this.#serverId, 'port', BigInt(start), BigInt(end));
  }

  releasePorts(start: number, end: number): void {
    this.#calls.unmapIoRange(this.#domid, this.#serverId, 'port', BigInt(start), BigInt(end));
  }

  mapMemory(gfn: bigint, mfn: bigint, count: bigint): void {
    this.#control.memoryMapping(this.#domid, gfn, mfn, count, true);
  }

  unmapMemory(gfn: bigint, mfn: bigint, count: bigint): void {
    this.#control.memoryMapping(this.#domid, gfn, mfn, count, false);
  }

  mapPorts(guest: number, machine: number, count: number): void {
    this.#control.ioportMapping(this.#domid, guest, machine, count, true);
  }

  unmapPorts(guest: number, machine: number, count: number): void {
    this.#control.ioportMapping(this.#domid, guest, machine, count, false);
  }

  mapGsi(gsi: number): number {
    return this.#control.mapPirq(this.#domid, gsi);
  }

  mapMsi({ sbdf, entry, tableBase, pirq, vectorCount }: MessageRequest): number {
    if (sbdf.device > 0x1f || sbdf.function > 7) throw new RangeError(`${formatSbdf(sbdf)} has no devfn`);
    const devfn = (sbdf.device << 3) | sbdf.function;
    const segbus = (sbdf.segment << 16) | sbdf.bus;
    if (vectorCount > 1) return this.#control.mapPirqMultiMsi(this.#domid, { devfn, segbus, vectorCount });
    return this.#control.mapPirqMsi(this.#domid, { pirq, devfn, segbus, entry, tableBase });
  }

  unmapPirq(pirq: number): void {
    this.#control.unmapPirq(this.#domid, pirq);
  }

  bindIntx(pirq: number, guestDevice: number, intx: number): void {
    this.#control.bindPciIrq(this.#domid, pirq, guestBus, guestDevice, intx);
  }

  unbindIntx(pirq: number, guestDevice: number, intx: number): void {
    this.#control.unbindPciIrq(this.#domid, pirq, guestBus, guestDevice, intx);
  }

  bindMsi(pirq: number, gvec: number, gflags: number, gtable: bigint): void {
    this.#control.updateMsiIrq(this.#domid, gvec, pirq, gflags, gtable);
  }

  unbindMsi(pirq: number, gvec: number, gflags: number): void {
    this.#control.unbindMsiIrq(this.#domid, gvec, pirq, gflags);
  }
}
