import type { FunctionSummary } from '../inventory/function-record.js';
import { readHex, readLinkName, readOptionalAttribute } from './attributes.js';

export type KernelIds = Pick<
  FunctionSummary,
  'vendorId' | 'deviceId' | 'subsystemVendorId' | 'subsystemDeviceId' | 'classCode' | 'driver'
>;

// Linux drivers/pci/pci-driver.c, pci_uevent, and drivers/base/core.c, dev_uevent. Hexadecimal digits are capitals,
// and the class has no leading zeros beyond four digits.
const idLines =
  /^PCI_CLASS=([0-9A-F]{4,6})\nPCI_ID=([0-9A-F]{4}):([0-9A-F]{4})\nPCI_SUBSYS_ID=([0-9A-F]{4}):([0-9A-F]{4})$/m;
const driverLine = /^DRIVER=(.+)$/m;

/**
 * What the kernel calls a function. `uevent` has in one file what stands in six others; a tree that was copied without
 * it, or with something else in it, has those.
 *
 * @throws SysfsError
 */
export function readKernelIds(directory: string, entries: ReadonlySet<string>): KernelIds {
  const at = (name: string): string => `${directory}/${name}`;
  const event = entries.has('uevent') ? readOptionalAttribute(at('uevent')) : null;
  const ids = event === null ? null : idLines.exec(event);
  if (event !== null && ids !== null) {
    const [classCode = 0, vendorId = 0, deviceId = 0, subsystemVendorId = 0, subsystemDeviceId = 0] = ids
      .slice(1)
      .map((digits) => Number.parseInt(digits, 16));
    const driver = driverLine.exec(event)?.[1] ?? null;
    return { vendorId, deviceId, subsystemVendorId, subsystemDeviceId, classCode, driver };
  }
  return {
    vendorId: readHex(at('vendor'), 4),
    deviceId: readHex(at('device'), 4),
    subsystemVendorId: readHex(at('subsystem_vendor'), 4),
    subsystemDeviceId: readHex(at('subsystem_device'), 4),
    classCode: readHex(at('class'), 6),
    driver: entries.has('driver') ? readLinkName(at('driver')) : null,
  };
}
