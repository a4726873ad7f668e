import { crc32, deflateSync } from 'node:zlib';

/** An image in 24 bits, row by row from the top: red, green, blue. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** No display that QEMU emulates is larger in either direction. */
const MAX_SIDE = 16_384;
const BYTES_PER_PIXEL = 3;

/** Reads a binary PPM (netpbm's "P6" with 8 bits per sample); undefined when it is none, or cut off. */
export function parsePpm(bytes: Uint8Array): RgbImage | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  const [header = '', width = 0, height = 0] = /^P6\s+(\d{1,5})\s+(\d{1,5})\s+255\s/.exec(start) ?? [];
  const image = { width: Number(width), height: Number(height) };
  if (image.width < 1 || image.height < 1 || image.width > MAX_SIDE || image.height > MAX_SIDE) return undefined;
  const sizeBytes = image.width * image.height * BYTES_PER_PIXEL;
  const pixels = bytes.subarray(header.length, header.length + sizeBytes);
  return pixels.length === sizeBytes ? { ...image, pixels } : undefined;
}

/** A PNG (ISO/IEC 15948): truecolour, 8 bits per sample, not interlaced, rows not filtered. */
export function encodePng({ width, height, pixels }: RgbImage): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const rowBytes = width * BYTES_PER_PIXEL;
  // Each row follows a byte that says how it is filtered: 0, not at all.
  const rows = Buffer.alloc((rowBytes + 1) * height);
  for (let row = 0; row < height; row++) {
    rows.set(pixels.subarray(row * rowBytes, (row + 1) * rowBytes), row * (rowBytes + 1) + 1);
  }
  const parts = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', new Uint8Array())];
  return new Uint8Array(Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts]));
}

// length | type | data | CRC of type and data
function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  whole.set(body, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}
