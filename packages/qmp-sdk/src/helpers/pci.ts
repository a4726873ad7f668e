import { unexpectedResult } from './errors.js';
import type { QmpMonitor, ResultOf } from './monitor.js';

/** A bus has 256 functions, and a guest 256 buses; no machine that QEMU emulates comes near this. */
const MAX_FUNCTIONS = 4096;

/** One function of the guest's PCI bus, as its firmware and system see it. */
export interface GuestPciFunction {
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
  /** Class and subclass, 16 bits: 0x0200 is an Ethernet controller. */
  readonly classCode: number;
  readonly vendorId: number;
  readonly deviceId: number;
  /** '' for a device that was given no id. */
  readonly id: string;
}

/** The guest's PCI functions, those behind bridges included, in the order of QEMU. */
export async function listPciFunctions(monitor: QmpMonitor): Promise<GuestPciFunction[]> {
  const buses = await monitor.raw<ResultOf<'query-pci'>>('query-pci');
  if (!Array.isArray(buses)) throw unexpectedResult('query-pci', 'list');
  const found: GuestPciFunction[] = [];
  // Not by recursion: how deep it is nested is the other side's choice.
  const queue = buses.flatMap(({ devices }) => devices);
  for (let device = queue.shift(); device !== undefined; device = queue.shift()) {
    if (found.length === MAX_FUNCTIONS) throw unexpectedResult('query-pci', `list of at most ${MAX_FUNCTIONS}`);
    found.push({
      bus: device.bus,
      slot: device.slot,
      function: device.function,
      classCode: device.class_info.class,
      vendorId: device.id.vendor,
      deviceId: device.id.device,
      id: device.qdev_id,
    });
    queue.push(...(device.pci_bridge?.devices ?? []));
  }
  return found;
}
