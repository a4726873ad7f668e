import type { Sbdf } from '@xenpt/pci';
import type { Sysfs } from './host.js';
import { sysfsPath } from './paths.js';
import { hasSlot, readConfig, readDriverOverride, readDriverPath } from './pciback.js';

/** One function as the steps of a transaction look at it and change it. */
export interface TransactedDevice {
  /** As a path from the root of the tree; undefined if it has none. */
  driver(): string | undefined;
  /** Whether pciback expects it. */
  hasSlot(): boolean;
  driverOverride(): string | null;
  config(): Uint8Array;
  /** One write to a control file of the kernel. */
  write(path: string, text: string): void;
  /** 32 bits of configuration space. */
  writeConfig(offset: number, value: number): void;
}

export function deviceIn(sysfs: Sysfs, sbdf: Sbdf): TransactedDevice {
  return {
    driver: () => readDriverPath(sysfs, sbdf),
    hasSlot: () => hasSlot(sysfs, sbdf),
    driverOverride: () => readDriverOverride(sysfs, sbdf),
    config: () => readConfig(sysfs, sbdf),
    write: (path, text) => sysfs.write(path, text),
    writeConfig: (offset, value) => sysfs.writeConfig(sbdf, offset, value),
  };
}

/** A function as it would be: what is written here is seen here, and goes nowhere but into `writes`. */
export function rehearsedDevice(sysfs: Sysfs, sbdf: Sbdf, writes: string[]): TransactedDevice {
  const real = deviceIn(sysfs, sbdf);
  let driver = real.driver();
  let override = real.driverOverride();
  let slot: boolean | undefined;
  let config: Uint8Array | undefined;
  const seenConfig = () => (config ??= real.config().slice());
  return {
    driver: () => driver,
    hasSlot: () => slot ?? real.hasSlot(),
    driverOverride: () => override,
    config: seenConfig,
    write: (path, text) => {
      writes.push(writtenText(path, text));
      if (path === sysfsPath.pcibackNewSlot || path === sysfsPath.pcibackRemoveSlot) {
        slot = path === sysfsPath.pcibackNewSlot;
      } else if (path === sysfsPath.driverOverride(sbdf)) override = text.trimEnd() || null;
      else driver = path.endsWith('/bind') ? path.slice(0, -'/bind'.length) : undefined;
    },
    writeConfig: (offset, value) => {
      writes.push(writtenConfig(sbdf, offset, value));
      const { buffer, byteOffset } = seenConfig();
      new DataView(buffer, byteOffset).setUint32(offset, value, true);
    },
  };
}

/** A write to a control file, as a dry run prints it. */
export function writtenText(path: string, text: string): string {
  return `"${text.trimEnd()}" > ${path}`;
}

/** A write to configuration space, as a dry run prints it. */
export function writtenConfig(sbdf: Sbdf, offset: number, value: number): string {
  const hex = (number: number) => `0x${(number >>> 0).toString(16)}`;
  return `${hex(value)} > ${sysfsPath.device(sbdf)}/config at ${hex(offset)}`;
}
