import { loadAddon } from './addon.js';
import { calling, fromNative } from './errors.js';
import type { NativeDeviceConfig } from './native-types.js';

/**
 * A function's configuration space through the file that the kernel has for it:
 * `/sys/bus/pci/devices/<sbdf>/config`. One call is one system call of the exact width, which the kernel turns into one
 * configuration cycle of that width, and allocates nothing. Needs the addon, not Xen.
 */
export class DeviceConfig {
  /** What goes to and fro. It stays here: the addon has its address. */
  readonly #value: Uint32Array;
  readonly #native: NativeDeviceConfig;

  private constructor(value: Uint32Array, native: NativeDeviceConfig) {
    this.#value = value;
    this.#native = native;
  }

  /** @throws XenUnavailableError when the addon is missing; XenCallError: `open` */
  static open(path: string): DeviceConfig {
    const addon = loadAddon();
    const value = new Uint32Array(1);
    return new DeviceConfig(
      value,
      calling(() => new addon.DeviceConfig(path, value)),
    );
  }

  /**
   * u32. All ones of the width when it cannot be read, unaligned or outside of it, when the device is gone, and after
   * `close()`.
   *
   * @param width 1, 2 or 4
   */
  read(offset: number, width: number): number {
    this.#native.read(offset, width);
    return this.#value[0] ?? 0;
  }

  /**
   * @throws XenCallError `pwrite`, EIO when cut short; RangeError when unaligned or outside; XenError `XEN_CLOSED`
   */
  write(offset: number, width: number, value: number): void {
    this.#value[0] = value;
    try {
      this.#native.write(offset, width);
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
