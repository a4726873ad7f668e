import type { ConfigAccess, FunctionImage, Sbdf } from '@xenpt/pci';
import { barFilePath, canResetFunction, configFilePath, readFunctionImage, resetFunction } from '@xenpt/pci/sysfs';
import { DeviceConfig, DeviceMemory } from '@xenpt/xen-bindings';

/** A memory BAR as this host reaches it. Each call is one access of exactly the given width: 1, 2, 4 or 8. */
export interface BarAccess {
  /** Low 32 bits, of either sign; all ones when the device is gone. */
  read(offset: number, size: number): number;
  /** Upper half of the last `read` of 8 bytes. */
  readonly high: number;
  /** The halves have 32 bits and either sign. */
  write(offset: number, size: number, low: number, high: number): void;
}

/** A physical function, held open for as long as a guest has it. */
export interface HostDevice {
  /** Read once, before the guest runs; geometry is never read again from the device. */
  readonly image: FunctionImage;
  readonly config: ConfigAccess;
  /** Resets the function, not its neighbours, and restores its configuration. Missing when the host cannot. */
  readonly reset?: () => void;
  /**
   * A memory BAR for accesses in the guest's place, open until `close`. Throws where the host does not let us: a kernel
   * that is locked down does not.
   */
  readonly openBar?: (index: number) => BarAccess;
  close(): void;
}

export interface OpenHostDeviceOptions {
  /** Root of the sysfs tree; the host's own by default. */
  readonly sysroot?: string;
}

/**
 * Opens a function of this host through sysfs.
 *
 * @throws PciError when the function does not exist or its sysfs files do not parse; XenUnavailableError, XenCallError
 */
export function openHostDevice(sbdf: Sbdf, options: OpenHostDeviceOptions = {}): HostDevice {
  const image = readFunctionImage(sbdf, options);
  const config = DeviceConfig.open(configFilePath(sbdf, options));
  const reset = canResetFunction(sbdf, options) ? { reset: () => resetFunction(sbdf, options) } : {};
  const bars: DeviceMemory[] = [];
  const openBar = (index: number) => {
    const memory = DeviceMemory.open(barFilePath(sbdf, index, options));
    bars.push(memory);
    return memory;
  };
  const close = () => {
    for (const memory of bars) memory.close();
    config.close();
  };
  return { image, config, ...reset, openBar, close };
}
