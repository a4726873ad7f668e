import type { ExecuteOptions } from '../qmp/options.js';
import type { QmpMonitor } from './monitor.js';

export interface ScreendumpOptions extends ExecuteOptions {
  /** Where QEMU writes the image: a path on its host, and with its rights. */
  readonly filename: string;
  /** `png` since QEMU 7.1 where it was built with libpng, `ppm` always. */
  readonly format?: 'png' | 'ppm';
  /** Id of the display device; default: the first one. */
  readonly device?: string;
  /** Output of a device that has several; only with `device`. */
  readonly head?: number;
}

/**
 * Writes what a guest's display shows into a file on QEMU's host.
 *
 * @throws QmpCommandError when there is no display (`vga="none"`), no such device, or the file cannot be written.
 */
export async function screendump(monitor: QmpMonitor, options: ScreendumpOptions): Promise<void> {
  const { filename, format = 'png', device, head, ...execute } = options;
  // Told only where it differs from the default: before 7.1 it is an unknown argument.
  await monitor.raw('screendump', { filename, format: format === 'ppm' ? undefined : format, device, head }, execute);
}
