import { closeSync, constants, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unexpectedResult } from '../helpers/errors.js';
import type { QmpMonitor } from '../helpers/monitor.js';
import { screendump, type ScreendumpOptions } from '../helpers/screendump.js';
import { isCommandError, type QmpCommandError, QmpUnsupportedError } from '../qmp/errors.js';
import { encodePng, parsePpm } from './png.js';

/** 8K in 24 bits is 100 MiB; nothing that QEMU emulates is larger. */
const MAX_IMAGE_BYTES = 128 * 1024 * 1024;

export type ScreenshotOptions = Omit<ScreendumpOptions, 'filename' | 'format' | 'fd'>;

/**
 * What a guest's display shows, as a PNG file's bytes. It is encoded here: Debian builds Xen's QEMU without libpng.
 * QEMU writes into a private temporary folder; one that has not the right to is handed a descriptor, if the connection
 * can pass one (`passFds`).
 *
 * @throws as {@link screendump}; QmpOperationError when QEMU has written no picture.
 */
export async function takeScreenshot(monitor: QmpMonitor, options: ScreenshotOptions = {}): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-screen-'));
  const path = join(folder, 'image');
  const ours = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  // QEMU wants exactly the access that it writes with. Opened now: when it fails, QEMU removes the file.
  const theirs = openSync(path, constants.O_WRONLY);
  try {
    await screendump(monitor, { ...options, filename: path, format: 'ppm' }).catch((error: unknown) => {
      if (!isCommandError(error)) throw error;
      return screendumpToDescriptor(monitor, options, theirs, error);
    });
    // By the descriptor, not by the path: what is at the path now is QEMU's choice.
    const image = parsePpm(readAll(ours));
    if (!image) throw unexpectedResult('screendump', 'picture');
    return encodePng(image);
  } finally {
    closeSync(theirs);
    closeSync(ours);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Not the first choice: QEMU 7.2 never forgets a set of descriptors that it has written a picture through. */
async function screendumpToDescriptor(
  monitor: QmpMonitor,
  options: ScreenshotOptions,
  fd: number,
  refusal: QmpCommandError,
): Promise<void> {
  const reply = await monitor.raw<{ 'fdset-id'?: unknown }>('add-fd', {}, { fd }).catch((error: unknown) => {
    // QEMU gets none through a proxy, as with Xen's stub domains.
    throw error instanceof QmpUnsupportedError || isCommandError(error) ? refusal : error;
  });
  const id = reply['fdset-id'];
  if (typeof id !== 'number') throw unexpectedResult('add-fd', 'fdset-id');
  try {
    await screendump(monitor, { ...options, filename: `/dev/fdset/${id}`, format: 'ppm' });
  } finally {
    await monitor.raw('remove-fd', { 'fdset-id': id });
  }
}

function readAll(fd: number): Uint8Array {
  const { size } = fstatSync(fd);
  if (size > MAX_IMAGE_BYTES) throw unexpectedResult('screendump', `picture of at most ${MAX_IMAGE_BYTES} bytes`);
  const bytes = new Uint8Array(size);
  let count = 0;
  while (count < size) {
    const read = readSync(fd, bytes, count, size - count, count);
    if (read === 0) break;
    count += read;
  }
  return bytes.subarray(0, count);
}
