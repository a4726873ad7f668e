import { LabError, LabErrorCode } from '../errors.js';

/** A network that QEMU makes up: a gateway at 10.0.2.2, DHCP, nothing beyond; files by TFTP if there is a folder. */
export interface LabNetwork {
  /** Folder of this host whose files the gateway gives out by TFTP. */
  readonly tftpRoot?: string;
}

interface DeviceBase {
  /** A word by which scenarios find the device; unique. */
  readonly id: string;
  /**
   * On a PCI Express root port of its own, as the only function of a bus of its own (the default for Express devices),
   * or on the root bus.
   */
  readonly rootPort?: boolean;
}

export interface NetworkCard extends DeviceBase {
  /** e1000e: MSI-X, Express. e1000, rtl8139: INTx, conventional PCI. */
  readonly kind: 'e1000e' | 'e1000' | 'rtl8139';
  readonly network?: LabNetwork;
}

export interface NvmeDisk extends DeviceBase {
  /** MSI-X, Express. */
  readonly kind: 'nvme';
  /** SR-IOV: how many there can be, 7 at most on a bus without ARI; none without. */
  readonly virtualFunctions?: number;
}

export interface OtherDevice extends DeviceBase {
  /**
   * qemu-xhci: MSI-X, Express. ich9-intel-hda: a sound card with MSI. nec-usb-xhci: 16 vectors of MSI, no MSI-X.
   * edu: QEMU's teaching device.
   */
  readonly kind: 'qemu-xhci' | 'nec-usb-xhci' | 'ich9-intel-hda' | 'edu';
}

/** A PCI device of the lab's machine. */
export type LabDevice = NetworkCard | NvmeDisk | OtherDevice;

/** A device and where Xen and dom0 find it. */
export interface PlacedDevice {
  readonly device: LabDevice;
  /** `0000:01:00.0` */
  readonly sbdf: string;
}

/** Two of the same network card, so that one can be passed through while the other stays with dom0. */
export const defaultDevices: readonly LabDevice[] = [
  { kind: 'e1000e', id: 'nic0', rootPort: true, network: {} },
  { kind: 'e1000e', id: 'nic1', rootPort: true, network: {} },
];

/** Root ports and root-bus devices have addresses of their own, so that adding one moves no other. */
const firstRootPortSlot = 0x10;
const lastRootPortSlot = 0x1b;
const firstRootBusSlot = 0x08;
const lastRootBusSlot = 0x0f;

const onRootPortByDefault = new Set<LabDevice['kind']>(['e1000e', 'nvme', 'qemu-xhci']);

/** Where each device comes to be. Firmware numbers the root ports' buses 1, 2, … in the order of their slots. */
export function placeDevices(devices: readonly LabDevice[]): (PlacedDevice & { bus: string; slot: number })[] {
  let rootPorts = 0;
  let onRootBus = 0;
  const ids = new Set<string>();
  return devices.map((device) => {
    if (!/^[a-z][a-z0-9-]*$/.test(device.id) || ids.has(device.id)) {
      throw new LabError(LabErrorCode.unknown, `Device id "${device.id}" is taken or is not a lower-case word.`);
    }
    ids.add(device.id);
    if (device.rootPort ?? onRootPortByDefault.has(device.kind)) {
      const bus = ++rootPorts;
      checkRoom(firstRootPortSlot + bus - 1, lastRootPortSlot);
      return { device, sbdf: `0000:${hex(bus)}:00.0`, bus: `port-${device.id}`, slot: firstRootPortSlot + bus - 1 };
    }
    const slot = firstRootBusSlot + onRootBus++;
    checkRoom(slot, lastRootBusSlot);
    return { device, sbdf: `0000:00:${hex(slot)}.0`, bus: 'pcie.0', slot };
  });
}

/** The number by which QEMU's ACPI hot-plug knows the bus of a root port: it counts from the last one down. */
export function hotPlugBus(devices: readonly LabDevice[], id: string): number | undefined {
  const ports = placeDevices(devices).filter(({ bus }) => bus !== 'pcie.0');
  const index = ports.findIndex(({ device }) => device.id === id);
  return index < 0 ? undefined : ports.length - 1 - index;
}

/** QEMU's arguments for the devices. */
export function deviceArguments(devices: readonly LabDevice[]): string[] {
  return placeDevices(devices).flatMap(({ device, bus, slot }, index) => {
    const onPort = bus !== 'pcie.0';
    const port = [`pcie-root-port,id=${bus},bus=pcie.0,addr=0x${hex(slot)},chassis=${index + 1}`];
    const place = onPort ? `id=${device.id},bus=${bus}` : `id=${device.id},bus=pcie.0,addr=0x${hex(slot)}`;
    return [...(onPort ? ['-device', ...port] : []), ...backend(device, place)];
  });
}

function backend(device: LabDevice, place: string): string[] {
  switch (device.kind) {
    case 'e1000e':
    case 'e1000':
    case 'rtl8139': {
      const tftp = device.network?.tftpRoot;
      const network = `user,id=net-${device.id},restrict=on${tftp === undefined ? '' : `,tftp=${escaped(tftp)}`}`;
      return ['-netdev', network, '-device', `${device.kind},${place},netdev=net-${device.id}`];
    }
    case 'nvme': {
      const disk = `if=none,id=disk-${device.id},driver=null-co,size=67108864,read-zeroes=on`;
      return ['-drive', disk, ...nvmeArguments(device, place, `drive=disk-${device.id}`)];
    }
    case 'ich9-intel-hda':
      return [
        // Left to itself QEMU looks for this host's sound card, and complains at length when there is none.
        ...['-audiodev', `none,id=audio-${device.id}`, '-device', `ich9-intel-hda,${place}`],
        ...['-device', `hda-output,bus=${device.id}.0,audiodev=audio-${device.id}`],
      ];
    case 'nec-usb-xhci':
      return ['-device', `nec-usb-xhci,${place},msi=on,msix=off`];
    case 'qemu-xhci':
    case 'edu':
      return ['-device', `${device.kind},${place}`];
  }
}

/** One with virtual functions is of a subsystem, and has its namespace behind it; a plain one is its disk. */
function nvmeArguments({ id, virtualFunctions: count = 0 }: NvmeDisk, place: string, drive: string): string[] {
  const nvme = `nvme,${place},serial=${id}`;
  if (count === 0) return ['-device', `${nvme},${drive}`];
  // Two queues and an interrupt for each of them to be given.
  const flexible = `sriov_max_vfs=${count},sriov_vq_flexible=${2 * count},sriov_vi_flexible=${count}`;
  return [
    ...['-device', `nvme-subsys,id=subsystem-${id}`],
    ...['-device', `${nvme},subsys=subsystem-${id},${flexible}`],
    ...['-device', `nvme-ns,bus=${id},${drive}`],
  ];
}

/** In QEMU's option lists a comma is written twice. */
export function escaped(value: string): string {
  return value.replaceAll(',', ',,');
}

function checkRoom(slot: number, last: number): void {
  if (slot > last)
    throw new LabError(LabErrorCode.unknown, 'A lab has room for 12 root ports and 8 root-bus devices.');
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}
