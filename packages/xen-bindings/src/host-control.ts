import { requireInteger } from './arguments.js';
import { openNative } from './availability.js';
import { calling } from './errors.js';
import type { NativeHostControl } from './native-types.js';

/** Memory that the firmware keeps for a device: RMRR of VT-d, unity maps of AMD-Vi. Frames of 4 KiB. */
export interface ReservedDeviceMemory {
  readonly startFrame: bigint;
  readonly frameCount: bigint;
}

const ENTRY_COUNT_FIRST = 64;
const ENTRY_COUNT_MAX = 4096;

/**
 * What Xen alone knows of the host: libxenctrl's xc_reserved_device_memory_map and xc_version(XENVER_commandline), the
 * same from 4.17 to 4.20. A handle of its own.
 *
 * Every method throws XenCallError when Xen refuses, and XenError `XEN_CLOSED` after close().
 */
export class HostControl {
  readonly #native: NativeHostControl;

  private constructor(native: NativeHostControl) {
    this.#native = native;
  }

  /** @throws XenUnavailableError */
  static open(): HostControl {
    return new HostControl(openNative(['xenctrl'], (addon) => new addon.HostControl()));
  }

  /** Xen's own command line, up to its first 1023 characters. */
  commandLine(): string {
    return calling(() => this.#native.xc_version());
  }

  /**
   * XENMEM_reserved_device_memory_map of one device; none where there is no IOMMU.
   *
   * @param sbdf segment << 16 | bus << 8 | device << 3 | function, of the host
   */
  reservedMemory(sbdf: number): ReservedDeviceMemory[] {
    requireInteger('sbdf', sbdf, 0, 0xffff_ffff);
    const [segment, bus, devfn] = [sbdf >>> 16, (sbdf >>> 8) & 0xff, sbdf & 0xff];
    const read = (most: number) =>
      calling(() => this.#native.xc_reserved_device_memory_map(0, segment, bus, devfn, most));
    let answer = read(ENTRY_COUNT_FIRST);
    if (typeof answer === 'number') answer = read(Math.min(answer, ENTRY_COUNT_MAX));
    if (typeof answer === 'number')
      throw new RangeError(`Xen has ${answer} regions; at most ${ENTRY_COUNT_MAX} are read`);
    const frames = answer;
    return Array.from({ length: frames.length / 2 }, (_, index) => ({
      startFrame: frames[2 * index] ?? 0n,
      frameCount: frames[2 * index + 1] ?? 0n,
    }));
  }

  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
