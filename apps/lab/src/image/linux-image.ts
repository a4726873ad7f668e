import { gunzipSync } from 'node:zlib';
import { LabError, LabErrorCode } from '../errors.js';
import { unpack } from './kernel-modules.js';

const formats = [
  { command: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { command: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { command: 'gzip', magic: [0x1f, 0x8b, 0x08] },
  { command: 'lz4', magic: [0x02, 0x21, 0x4c, 0x18] },
];

/**
 * The kernel proper (an ELF file) out of a bzImage. Xen starts either, but then has to unpack the latter itself, which
 * takes an emulated processor five seconds and this host a fraction of one.
 * Layout: Linux Documentation/arch/x86/boot.rst, `payload_offset` (0x248) and `payload_length` (0x24c), counted from
 * the end of the real-mode part, whose sectors `setup_sects` (0x1f1) counts.
 */
export function extractKernel(bzImage: Buffer): Buffer {
  const start = realModeBytes(bzImage) + bzImage.readUInt32LE(0x248);
  const payload = bzImage.subarray(start, start + bzImage.readUInt32LE(0x24c));
  const format = formats.find(({ magic }) => magic.every((byte, index) => payload[index] === byte));
  if (!format)
    throw new LabError(LabErrorCode.imageBuildFailed, 'The kernel is packed in a way this lab does not know.');
  // The last four bytes are the unpacked length, not part of the packed stream.
  const packed = payload.subarray(0, -4);
  const kernel = format.command === 'gzip' ? gunzipSync(packed) : unpack(format.command, packed);
  if (kernel.readUInt32BE(0) !== 0x7f454c46) {
    throw new LabError(LabErrorCode.imageBuildFailed, 'What the kernel image holds is not an ELF file.');
  }
  return kernel;
}

/** Where a guest's parts are in its memory before its processor runs. Each is below 192 MiB. */
export const guestAddresses = { entry: 0xf0_0000, kernel: 0x100_0000, initramfs: 0x800_0000 } as const;

/**
 * A bzImage in two: the real-mode part, told where to go on, and the rest.
 * QEMU 7.2 hands a Xen guest its kernel through an I/O port, byte by byte, which takes half a minute here; its loader
 * device writes a file straight into the guest's memory. `code32_start` (0x214) is where the real-mode part jumps to.
 */
export function splitKernel(bzImage: Buffer): { realMode: Buffer; protectedMode: Buffer } {
  const length = realModeBytes(bzImage);
  // QEMU wants something to follow the real-mode part.
  const realMode = Buffer.concat([bzImage.subarray(0, length), Buffer.alloc(512)]);
  realMode.writeUInt32LE(guestAddresses.entry, 0x214);
  return { realMode, protectedMode: bzImage.subarray(length) };
}

/** Where in {@link guestEntry} the initramfs's size stands: 32 bits, little-endian. */
export const entrySizeOffset = 16;

/**
 * What runs between the real-mode part and the kernel: it says where the initramfs is (`ramdisk_image`, 0x218, and
 * `ramdisk_size`, 0x21c), because QEMU's boot ROM overwrites what the file's header says. ESI is the address of
 * `boot_params` (boot.rst, "32-bit boot protocol").
 */
export function guestEntry(initramfsBytes = 0): Buffer {
  const word = (value: number) => [value, value >>> 8, value >>> 16, value >>> 24].map((byte) => byte & 0xff);
  return Buffer.from([
    ...[0xc7, 0x86, ...word(0x218), ...word(guestAddresses.initramfs)], // movl $initramfs, 0x218(%esi)
    ...[0xc7, 0x86, ...word(0x21c), ...word(initramfsBytes)], // movl $size, 0x21c(%esi)
    ...[0xb8, ...word(guestAddresses.kernel)], // movl $kernel, %eax
    ...[0xff, 0xe0], // jmp *%eax
  ]);
}

function realModeBytes(bzImage: Buffer): number {
  // 0 means 4, for the sake of very old kernels.
  return ((bzImage.readUInt8(0x1f1) || 4) + 1) * 512;
}
