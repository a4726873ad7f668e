import type { ConfigAccess, FunctionImage, Sbdf } from '@xenpt/pci';
import { canResetFunction, openConfigAccess, readFunctionImage, resetFunction } from '@xenpt/pci/sysfs';

/** A physical function, held open for as long as a guest has it. */
export interface HostDevice {
  /** Read once, before the guest runs; geometry is never read again from the device. */
  readonly image: FunctionImage;
  readonly config: ConfigAccess;
  /** Resets the function, not its neighbours, and restores its configuration. Missing when the host cannot. */
  readonly reset?: () => void;
  close(): void;
}

export interface OpenHostDeviceOptions {
  /** Root of the sysfs tree; the host's own by default. */
  readonly sysroot?: string;
}

/**
 * Opens a function of this host through sysfs.
 *
 * @throws PciError when the function does not exist or its sysfs files do not parse
 */
export function openHostDevice(sbdf: Sbdf, options: OpenHostDeviceOptions = {}): HostDevice {
  const image = readFunctionImage(sbdf, options);
  const config = openConfigAccess(sbdf, options);
  const reset = canResetFunction(sbdf, options) ? { reset: () => resetFunction(sbdf, options) } : {};
  return { image, config, ...reset, close: () => config[Symbol.dispose]() };
}
