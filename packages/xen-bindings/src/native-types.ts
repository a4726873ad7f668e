/** The addon as TypeScript sees it. Methods carry the names of the C functions; native/*.cc says what they take. */

export interface NativeHandle {
  close(): void;
}

export interface NativeEventChannels extends NativeHandle {
  xenevtchn_bind_interdomain(domid: number, remotePort: number): number;
  xenevtchn_unbind(port: number): void;
  xenevtchn_notify(port: number): void;
  xenevtchn_unmask(port: number): void;
  xenevtchn_pending(): number | null;
  xenevtchn_fd(): number;
}

declare const pagesReference: unique symbol;
/** Opaque: keeps the pages of one mapping. */
export type NativePages = { readonly [pagesReference]: true };

export interface NativeMapping {
  readonly buffer: ArrayBuffer;
  readonly pages: NativePages;
}

export interface NativeForeignMemory extends NativeHandle {
  xenforeignmemory_map(domid: number, frames: BigUint64Array, writable: boolean): NativeMapping;
  xenforeignmemory_map_resource(domid: number, type: number, id: number, frame: bigint, count: bigint): NativeMapping;
}

export interface NativeDeviceModel extends NativeHandle {
  xendevicemodel_create_ioreq_server(domid: number, bufferedMode: number): number;
  xendevicemodel_destroy_ioreq_server(domid: number, id: number): void;
  xendevicemodel_set_ioreq_server_state(domid: number, id: number, enabled: number): void;
  xendevicemodel_map_pcidev_to_ioreq_server(...address: PcidevArguments): void;
  xendevicemodel_unmap_pcidev_from_ioreq_server(...address: PcidevArguments): void;
  xendevicemodel_map_io_range_to_ioreq_server(...range: IoRangeArguments): void;
  xendevicemodel_unmap_io_range_from_ioreq_server(...range: IoRangeArguments): void;
  xendevicemodel_nr_vcpus(domid: number): number;
}

export type PcidevArguments = [
  domid: number,
  id: number,
  segment: number,
  bus: number,
  device: number,
  function_: number,
];
export type IoRangeArguments = [domid: number, id: number, isMmio: number, start: bigint, end: bigint];

export interface NativeControl extends NativeHandle {
  xc_domain_getinfolist(first: number): Uint8Array | null;
  xc_physinfo(): Uint8Array;
  xc_version(): [version: number, extra: string, features: number, commandLine: string];
  xc_domain_pause(domid: number): void;
  xc_domain_unpause(domid: number): void;
  xc_test_assign_device(domid: number, sbdf: number): void;
  xc_assign_device(domid: number, sbdf: number, flags: number): void;
  xc_deassign_device(domid: number, sbdf: number): void;
  xc_get_device_group(domid: number, sbdf: number, most: number): number[];
  xc_domain_iomem_permission(domid: number, mfn: bigint, count: bigint, allow: number): void;
  xc_domain_ioport_permission(domid: number, first: number, count: number, allow: number): void;
  xc_domain_irq_permission(domid: number, pirq: number, allow: boolean): void;
  xc_domain_memory_mapping(domid: number, gfn: bigint, mfn: bigint, count: bigint, add: number): void;
  xc_domain_ioport_mapping(domid: number, gport: number, mport: number, count: number, add: number): void;
  xc_physdev_map_pirq(domid: number, gsi: number, pirq: number): number;
  xc_physdev_map_pirq_msi(
    domid: number,
    pirq: number,
    devfn: number,
    segbus: number,
    entry: number,
    tableBase: bigint,
  ): number;
  physdev_map_pirq_multi_msi(domid: number, devfn: number, segbus: number, vectorCount: number): number;
  xc_physdev_unmap_pirq(domid: number, pirq: number): void;
  domctl_pt_irq(domid: number, bind: number, pirq: number, bus: number, device: number, intx: number): void;
  xc_domain_bind_pt_pci_irq(domid: number, pirq: number, bus: number, device: number, intx: number): void;
  xc_domain_unbind_pt_irq(
    domid: number,
    pirq: number,
    irqType: number,
    bus: number,
    device: number,
    intx: number,
    isaIrq: number,
  ): void;
  xc_domain_update_msi_irq(domid: number, gvec: number, pirq: number, gflags: number, gtable: bigint): void;
  xc_domain_unbind_msi_irq(domid: number, gvec: number, pirq: number, gflags: number): void;
}

export interface NativeHostControl extends NativeHandle {
  xc_reserved_device_memory_map(
    flags: number,
    segment: number,
    bus: number,
    devfn: number,
    most: number,
  ): BigUint64Array | number;
  xc_version(): string;
}

export interface NativeDirtyLogControl extends NativeHandle {
  xc_shadow_control(domid: number, operation: number): void;
  xc_logdirty_control(
    domid: number,
    operation: number,
    pageCount: bigint,
    mode: number,
    into: Uint8Array,
  ): [pageCount: number, faultCount: number, dirtyCount: number];
  xc_domain_nr_gpfns(domid: number): bigint;
}

export interface NativeXenstore extends NativeHandle {
  xs_read(transaction: number, path: string): string | null;
  xs_write(transaction: number, path: string, value: string): void;
  xs_mkdir(transaction: number, path: string): void;
  xs_rm(transaction: number, path: string): boolean;
  xs_directory(transaction: number, path: string): string[] | null;
  xs_get_permissions(transaction: number, path: string): number[] | null;
  xs_set_permissions(transaction: number, path: string, words: Uint32Array): void;
  xs_transaction_start(): number;
  xs_transaction_end(transaction: number, abort: boolean): boolean;
  xs_watch(path: string, token: string): void;
  xs_unwatch(path: string, token: string): void;
  startListening(listener: (errno: number, path: string, token: string) => void): void;
  stopListening(): void;
}

export interface NativeIoreqPort extends NativeHandle {
  next(timeoutMs: number): number;
  complete(vcpu: number): void;
  buffer(): ArrayBuffer;
  resumed(): boolean;
}

export interface NativeDeviceConfig extends NativeHandle {
  read(offset: number, width: number): void;
  write(offset: number, width: number): void;
}

export interface NativeDeviceMemory extends NativeHandle {
  read(offset: number, size: number): void;
  write(offset: number, size: number): void;
}

export interface NativeWakeEvent extends NativeHandle {
  wake(): void;
  port(): number;
}

export interface Addon {
  load(library: string, candidates: readonly string[]): { soname: string | null; error: string | null };
  EventChannels: new () => NativeEventChannels;
  ForeignMemory: (new () => NativeForeignMemory) & { unmap(pages: NativePages, buffer: ArrayBuffer): void };
  DeviceModel: new () => NativeDeviceModel;
  Control: new () => NativeControl;
  DirtyLogControl: new () => NativeDirtyLogControl;
  HostControl: new () => NativeHostControl;
  Xenstore: new () => NativeXenstore;
  IoreqPort: new (
    domid: number,
    serverId: number,
    vcpuCount: number,
    wakePort: number,
    meterWords: Float64Array | undefined,
  ) => NativeIoreqPort;
  DeviceConfig: new (path: string, value: Uint32Array) => NativeDeviceConfig;
  DeviceMemory: new (path: string, value: Int32Array) => NativeDeviceMemory;
  WakeEvent: new () => NativeWakeEvent;
  dropProgramPages(): number;
  tryFlock(fd: number): boolean;
  peerCredentials(fd: number): { readonly pid: number; readonly uid: number; readonly gid: number };
}
