import { loadAddon } from './addon.js';
import { calling, fromNative } from './errors.js';
import type { NativeDeviceMemory } from './native-types.js';

/**
 * A device's memory through the file that the kernel has for it: `/sys/bus/pci/devices/<sbdf>/resource<n>`. Each call
 * is one access of the processor, of exactly the given width, and allocates nothing. Needs the addon, not Xen.
 */
export class DeviceMemory {
  /** Upper half of the last `read` of 8 bytes; 32 bits, of either sign. */
  high = 0;
  /** What goes to and fro, low half first. It stays here: the addon has its address. */
  readonly #value: Int32Array;
  readonly #native: NativeDeviceMemory;

  private constructor(value: Int32Array, native: NativeDeviceMemory) {
    this.#value = value;
    this.#native = native;
  }

  /**
   * @throws XenUnavailableError when the addon is missing; XenCallError: `open`, or `mmap` with EPERM where the kernel
   * is locked down
   */
  static open(path: string): DeviceMemory {
    const addon = loadAddon();
    const value = new Int32Array(2);
    return new DeviceMemory(
      value,
      calling(() => new addon.DeviceMemory(path, value)),
    );
  }

  /**
   * Low 32 bits, of either sign: V8 allocates numbers above 2^31. All ones outside the file, across a page boundary,
   * and when the device is gone.
   *
   * @param size 1, 2, 4 or 8
   * @throws XenError `XEN_CLOSED`
   */
  read(offset: number, size: number): number {
    try {
      this.#native.read(offset, size);
    } catch (error) {
      throw fromNative(error);
    }
    this.high = size === 8 ? (this.#value[1] ?? 0) : 0;
    return this.#value[0] ?? 0;
  }

  /** Goes nowhere where `read` gives all ones. @throws XenError `XEN_CLOSED` */
  write(offset: number, size: number, low: number, high: number): void {
    this.#value[0] = low;
    this.#value[1] = high;
    try {
      this.#native.write(offset, size);
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
