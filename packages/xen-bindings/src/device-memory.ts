import { loadAddon } from './addon.js';
import { calling, fromNative } from './errors.js';
import type { NativeDeviceMemory } from './native-types.js';

/**
 * A device's memory through the file that the kernel has for it: `/sys/bus/pci/devices/<sbdf>/resource<n>`. Each call
 * is one access of the processor, of exactly the given width. Needs the addon, not Xen.
 */
export class DeviceMemory {
  /** Upper half of the last `read` of 8 bytes. */
  high = 0;
  readonly #native: NativeDeviceMemory;

  private constructor(native: NativeDeviceMemory) {
    this.#native = native;
  }

  /**
   * @throws XenUnavailableError when the addon is missing; XenCallError: `open`, or `mmap` with EPERM where the kernel
   * is locked down
   */
  static open(path: string): DeviceMemory {
    const addon = loadAddon();
    return new DeviceMemory(calling(() => new addon.DeviceMemory(path)));
  }

  /**
   * Low 32 bits. All ones outside the file, across a page boundary, and when the device is gone.
   *
   * @param size 1, 2, 4 or 8
   * @throws XenError `XEN_CLOSED`
   */
  read(offset: number, size: number): number {
    try {
      const low = this.#native.read(offset, size);
      this.high = size === 8 ? this.#native.high() : 0;
      return low;
    } catch (error) {
      throw fromNative(error);
    }
  }

  /** Goes nowhere where `read` gives all ones. @throws XenError `XEN_CLOSED` */
  write(offset: number, size: number, low: number, high: number): void {
    try {
      this.#native.write(offset, size, low, high);
    } catch (error) {
      throw fromNative(error);
    }
  }

  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
