import { requireDomid, requireInteger, requireRange, requireU32, requireU64, requireU8 } from './arguments.js';
import { openNative } from './availability.js';
import { type DomainInfo, decodeDomainInfo } from './domain-info.js';
import { calling } from './errors.js';
import type { NativeControl } from './native-types.js';
import { type PhysicalInfo, decodePhysicalInfo } from './physical-info.js';

export interface XenVersion {
  readonly major: number;
  readonly minor: number;
  /** What follows the numbers, e.g. `.7` or `-rc1`. */
  readonly extra: string;
  /** XENFEAT_* of submap 0, bit n for feature n. */
  readonly features: number;
  /** What Xen was booted with, at most 1023 bytes of it. */
  readonly commandLine: string;
}

/** A message-signalled interrupt of a host device, as PHYSDEVOP_map_pirq wants it. */
export interface MsiRequest {
  /** Wanted pirq, or -1 for any. Prefer -1: Xen reports success for a pirq that is taken, and maps nothing. */
  readonly pirq?: number;
  /** device << 3 | function */
  readonly devfn: number;
  /** segment << 16 | bus. Segments other than 0 need 4.19.4, 4.20.2 or later. */
  readonly segbus: number;
  /** MSI-X entry; 0 for MSI. */
  readonly entry: number;
  /** Host physical address of the MSI-X table; 0n for MSI. */
  readonly tableBase: bigint;
}

/** Several MSI vectors of a host device, as PHYSDEVOP_map_pirq wants them. */
export interface MultiMsiRequest {
  /** device << 3 | function */
  readonly devfn: number;
  /** segment << 16 | bus */
  readonly segbus: number;
  /** 2, 4, 8, 16 or 32. */
  readonly vectorCount: number;
}

/** Flags of assignDevice(): XEN_DOMCTL_DEV_RDM_RELAXED. */
export const AssignFlags = { none: 0, rdmRelaxed: 1 } as const;
/** DOMID_IO: owner of devices in quarantine. */
export const DOMID_IO = 0x7ff1;

const PORT_MAX = 0xffffn;
const PT_IRQ_TYPE_PCI = 0;
const DEVICE_GROUP_MAX = 1024; // functions that one IOMMU group is taken to have at most; four full buses
const DOMAIN_COUNT_MAX = 0x7ff0; // ids that domains can have

/**
 * Domains, devices and interrupts: libxenctrl, `/dev/xen/privcmd`. The library belongs to one Xen release and is
 * chosen by the hypervisor that runs. `sbdf` is segment << 16 | bus << 8 | device << 3 | function, of the host.
 *
 * Every method throws XenCallError when Xen refuses, RangeError for a value that its C type cannot hold, and XenError
 * `XEN_CLOSED` after close().
 */
export class Control {
  readonly #native: NativeControl;

  private constructor(native: NativeControl) {
    this.#native = native;
  }

  /** @throws XenUnavailableError */
  static open(): Control {
    return new Control(openNative(['xenctrl'], (addon) => new addon.Control()));
  }

  /** Null when there is no such domain. */
  domainInfo(domid: number): DomainInfo | null {
    requireDomid(domid);
    const domain = this.#domainFrom(domid);
    return domain?.domid === domid ? domain : null;
  }

  /** All domains by id. Not one moment: a domain may come or go while the list is read. */
  domainList(): DomainInfo[] {
    const domains: DomainInfo[] = [];
    let domain = this.#domainFrom(0);
    while (domain !== null && domains.length < DOMAIN_COUNT_MAX) {
      domains.push(domain);
      domain = this.#domainFrom(domain.domid + 1);
    }
    return domains;
  }

  #domainFrom(first: number): DomainInfo | null {
    const bytes = calling(() => this.#native.xc_domain_getinfolist(first));
    return bytes === null ? null : decodeDomainInfo(bytes);
  }

  physInfo(): PhysicalInfo {
    return decodePhysicalInfo(calling(() => this.#native.xc_physinfo()));
  }

  xenVersion(): XenVersion {
    const [version, extra, features, commandLine] = calling(() => this.#native.xc_version());
    return { major: version >>> 16, minor: version & 0xffff, extra, features, commandLine };
  }

  /** Xen counts: a domain runs when everybody who has paused it has unpaused it. */
  pause(domid: number): void {
    requireDomid(domid);
    calling(() => this.#native.xc_domain_pause(domid));
  }

  unpause(domid: number): void {
    requireDomid(domid);
    calling(() => this.#native.xc_domain_unpause(domid));
  }

  /** Returns when the device could be assigned to the domain; throws XenCallError with the reason otherwise. */
  testAssignDevice(domid: number, sbdf: number): void {
    requireDevice(domid, sbdf);
    calling(() => this.#native.xc_test_assign_device(domid, sbdf));
  }

  /** Moves the device into the domain's IOMMU context. `flags`: {@link AssignFlags}. */
  assignDevice(domid: number, sbdf: number, flags: number): void {
    requireDevice(domid, sbdf);
    requireU32('flags', flags);
    calling(() => this.#native.xc_assign_device(domid, sbdf, flags));
  }

  deassignDevice(domid: number, sbdf: number): void {
    requireDevice(domid, sbdf);
    calling(() => this.#native.xc_deassign_device(domid, sbdf));
  }

  /**
   * The other functions of the domain that share the device's IOMMU group, by sbdf. Those of other domains, and those
   * in quarantine, are not told. Xen answers with bus << 16 | devfn << 8, without the segment, which is the device's.
   */
  deviceGroup(domid: number, sbdf: number): number[] {
    requireDevice(domid, sbdf);
    const group = calling(() => this.#native.xc_get_device_group(domid, sbdf, DEVICE_GROUP_MAX));
    return group.map((busDevfn) => (((sbdf >>> 16) << 16) | ((busDevfn >>> 8) & 0xffff)) >>> 0);
  }

  /** Allows or forbids the domain `count` machine frames from `mfn` on. */
  iomemPermission(domid: number, mfn: bigint, count: bigint, allow: boolean): void {
    requireDomid(domid);
    requireRange('mfn', mfn, count);
    calling(() => this.#native.xc_domain_iomem_permission(domid, mfn, count, allow ? 1 : 0));
  }

  ioportPermission(domid: number, first: number, count: number, allow: boolean): void {
    requireDomid(domid);
    requirePorts('first', first, count);
    calling(() => this.#native.xc_domain_ioport_permission(domid, first, count, allow ? 1 : 0));
  }

  irqPermission(domid: number, pirq: number, allow: boolean): void {
    requireDomid(domid);
    requireU32('pirq', pirq);
    calling(() => this.#native.xc_domain_irq_permission(domid, pirq, allow));
  }

  /**
   * Maps (`add`) or unmaps `count` machine frames at guest frames. A failed map is undone by libxenctrl; a failed
   * unmap goes on to the end and then throws the first error. A map over guest RAM destroys it: check before.
   */
  memoryMapping(domid: number, gfn: bigint, mfn: bigint, count: bigint, add: boolean): void {
    requireDomid(domid);
    requireRange('gfn', gfn, count);
    requireRange('mfn', mfn, count);
    calling(() => this.#native.xc_domain_memory_mapping(domid, gfn, mfn, count, add ? 1 : 0));
  }

  /** Maps (`add`) or unmaps machine ports; Xen also grants or revokes the permission. */
  ioportMapping(domid: number, gport: number, mport: number, count: number, add: boolean): void {
    requireDomid(domid);
    requirePorts('gport', gport, count);
    requirePorts('mport', mport, count);
    calling(() => this.#native.xc_domain_ioport_mapping(domid, gport, mport, count, add ? 1 : 0));
  }

  /**
   * Gives the domain a machine interrupt line. Returns its pirq; with -1 libxenctrl asks for the gsi's own number.
   */
  mapPirq(domid: number, gsi: number, pirq = -1): number {
    requireDomid(domid);
    requireInteger('gsi', gsi, 0, 0x7fff_ffff);
    requirePirqWish(pirq);
    return calling(() => this.#native.xc_physdev_map_pirq(domid, gsi, pirq));
  }

  /** Gives the domain one message of a device that it has been assigned. Returns its pirq. */
  mapPirqMsi(domid: number, request: MsiRequest): number {
    const { pirq = -1, devfn, segbus, entry, tableBase } = request;
    requireDomid(domid);
    requirePirqWish(pirq);
    requireU8('devfn', devfn);
    requireInteger('segbus', segbus, 0, 0xffff_00ff);
    requireInteger('entry', entry, 0, 2047); // PCI: an MSI-X table has 2048 entries at most
    requireU64('tableBase', tableBase);
    return calling(() => this.#native.xc_physdev_map_pirq_msi(domid, pirq, devfn, segbus | 0, entry, tableBase));
  }

  /**
   * Gives the domain several MSI vectors of a device at once; returns the pirq of the first, the others follow it. Xen
   * needs interrupt remapping for that, and as many free pirqs in a row. To unmap, name the first.
   */
  mapPirqMultiMsi(domid: number, request: MultiMsiRequest): number {
    const { devfn, segbus, vectorCount } = request;
    requireDomid(domid);
    requireU8('devfn', devfn);
    requireInteger('segbus', segbus, 0, 0xffff_00ff);
    requireInteger('vectorCount', vectorCount, 2, 32); // PCI: MSI has 32 vectors at most
    return calling(() => this.#native.physdev_map_pirq_multi_msi(domid, devfn, segbus | 0, vectorCount));
  }

  unmapPirq(domid: number, pirq: number): void {
    requireDomid(domid);
    requireInteger('pirq', pirq, 0, 0x7fff_ffff);
    calling(() => this.#native.xc_physdev_unmap_pirq(domid, pirq));
  }

  /**
   * Connects a pirq with pin `intx` (0 to 3) of a guest device. Of a pirq libxenctrl passes 8 bits, so one above 255
   * goes to Xen directly.
   */
  bindPciIrq(domid: number, pirq: number, bus: number, device: number, intx: number): void {
    requireIntx(domid, pirq, bus, device, intx);
    calling(() => {
      if (pirq > 0xff) this.#native.domctl_pt_irq(domid, 1, pirq, bus, device, intx);
      else this.#native.xc_domain_bind_pt_pci_irq(domid, pirq, bus, device, intx);
    });
  }

  unbindPciIrq(domid: number, pirq: number, bus: number, device: number, intx: number): void {
    requireIntx(domid, pirq, bus, device, intx);
    calling(() => {
      if (pirq > 0xff) this.#native.domctl_pt_irq(domid, 0, pirq, bus, device, intx);
      else this.#native.xc_domain_unbind_pt_irq(domid, pirq, PT_IRQ_TYPE_PCI, bus, device, intx, 0);
    });
  }

  /**
   * Connects a pirq with a guest message, or moves it to another. `gtable`: guest address of its MSI-X table, or
   * 0n.
   */
  updateMsiIrq(domid: number, gvec: number, pirq: number, gflags: number, gtable: bigint): void {
    requireMessage(domid, gvec, pirq, gflags);
    requireU64('gtable', gtable);
    calling(() => this.#native.xc_domain_update_msi_irq(domid, gvec, pirq, gflags, gtable));
  }

  /** With the vector and flags it was bound with. */
  unbindMsiIrq(domid: number, gvec: number, pirq: number, gflags: number): void {
    requireMessage(domid, gvec, pirq, gflags);
    calling(() => this.#native.xc_domain_unbind_msi_irq(domid, gvec, pirq, gflags));
  }

  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function requireDevice(domid: number, sbdf: number): void {
  requireDomid(domid);
  requireU32('sbdf', sbdf);
}

function requirePorts(name: string, first: number, count: number): void {
  requireU32(name, first);
  requireU32('count', count);
  requireRange(name, BigInt(first), BigInt(count), PORT_MAX);
}

function requirePirqWish(pirq: number): void {
  requireInteger('pirq', pirq, -1, 0x7fff_ffff);
}

function requireIntx(domid: number, pirq: number, bus: number, device: number, intx: number): void {
  requireDomid(domid);
  requireInteger('pirq', pirq, 0, 0x7fff_ffff);
  requireU8('bus', bus);
  requireInteger('device', device, 0, 31);
  requireInteger('intx', intx, 0, 3);
}

function requireMessage(domid: number, gvec: number, pirq: number, gflags: number): void {
  requireDomid(domid);
  requireU32('gvec', gvec);
  requireU32('pirq', pirq);
  requireU32('gflags', gflags);
}
