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

/**
 * Where a guest's parts are in its memory before its processor runs, each below 192 MiB. The kernel's place is the one
 * it is linked for (CONFIG_PHYSICAL_START); between `tables` and `entry` the page tables of {@link guestEntry}.
 */
export const guestAddresses = {
  tables: 0xe0_0000,
  entry: 0xf0_0000,
  kernel: 0x100_0000,
  initramfs: 0x800_0000,
} as const;

/** The real-mode part of a bzImage, told to go on at {@link guestEntry}: `code32_start` (0x214). */
export function realModePart(bzImage: Buffer): Buffer {
  // QEMU wants something to follow the real-mode part.
  const realMode = Buffer.concat([bzImage.subarray(0, realModeBytes(bzImage)), Buffer.alloc(512)]);
  realMode.writeUInt32LE(guestAddresses.entry, 0x214);
  return realMode;
}

/** ELF-64 (System V ABI, "Program Header"): loadable segments. */
const loadable = 1;

export interface FlatKernel {
  readonly image: Buffer;
  /** Physical address of its first instruction. */
  readonly entry: number;
}

/**
 * An unpacked kernel as it lies in memory from `guestAddresses.kernel` on. A guest that unpacked its kernel itself
 * would need five emulated seconds for it.
 */
export function flattenKernel(elf: Buffer): FlatKernel {
  const headers = Array.from({ length: elf.readUInt16LE(56) }, (_, index) => {
    const at = Number(elf.readBigUInt64LE(32)) + index * elf.readUInt16LE(54);
    return {
      type: elf.readUInt32LE(at),
      offset: Number(elf.readBigUInt64LE(at + 8)),
      address: Number(elf.readBigUInt64LE(at + 24)),
      sizeBytes: Number(elf.readBigUInt64LE(at + 32)),
    };
  });
  const segments = headers.filter(({ type }) => type === loadable);
  const entry = Number(elf.readBigUInt64LE(24));
  const start = Math.min(...segments.map(({ address }) => address));
  const end = Math.max(...segments.map(({ address, sizeBytes }) => address + sizeBytes));
  if (start !== guestAddresses.kernel || entry < start || entry >= end) {
    throw new LabError(LabErrorCode.imageBuildFailed, 'The kernel is not made to start at 16 MiB.');
  }
  if (end > guestAddresses.initramfs) {
    throw new LabError(LabErrorCode.imageBuildFailed, 'The kernel is too large for its place in the guest.');
  }
  const image = Buffer.alloc(end - guestAddresses.kernel);
  for (const { offset, address, sizeBytes } of segments) {
    elf.copy(image, address - guestAddresses.kernel, offset, offset + sizeBytes);
  }
  return { image, entry };
}

/** Where in {@link guestEntry} the initramfs's size stands: 32 bits, little-endian. */
export const entrySizeOffset = 16;

/**
 * What runs between the real-mode part, which leaves in flat 32-bit mode with ESI at `boot_params`, and the kernel,
 * which wants 64-bit mode with memory mapped onto itself (boot.rst, "64-bit boot protocol"). It also says where the
 * initramfs is (`ramdisk_image`, 0x218, and `ramdisk_size`, 0x21c), because QEMU's boot ROM overwrites what the file's
 * header says.
 */
export function guestEntry(kernelEntry: number, initramfsBytes = 0): Buffer {
  const { tables, entry, initramfs } = guestAddresses;
  const word = (value: number) => [value, value >>> 8, value >>> 16, value >>> 24].map((byte) => byte & 0xff);
  const store = (address: number, value: number) => [0xc7, 0x05, ...word(address), ...word(value)];
  const page = (index: number) => tables + index * 0x1000;
  // Present and writable; for a page of 2 MiB also "large".
  const table = 0x03;
  const largePage = 0x83;
  const code = [
    ...[0xc7, 0x86, ...word(0x218), ...word(initramfs)], // movl $initramfs, 0x218(%esi)
    ...[0xc7, 0x86, ...word(0x21c), ...word(initramfsBytes)], // movl $size, 0x21c(%esi)
    ...[0xbf, ...word(tables)], // movl $tables, %edi
    ...[0x31, 0xc0], // xorl %eax, %eax
    ...[0xb9, ...word(6 * 1024)], // movl $(6 pages), %ecx
    ...[0x89, 0x07, 0x83, 0xc7, 0x04, 0x49, 0x75, 0xf8], // 1: movl %eax, (%edi); addl $4, %edi; decl %ecx; jnz 1b
    ...store(page(0), page(1) + table),
    ...[0, 1, 2, 3].flatMap((index) => store(page(1) + index * 8, page(2 + index) + table)),
    ...[0xbf, ...word(page(2))], // movl $directories, %edi
    ...[0xb8, ...word(largePage)], // movl $largePage, %eax
    ...[0x89, 0x07, 0x83, 0xc7, 0x08], // 2: movl %eax, (%edi); addl $8, %edi
    ...[0x05, ...word(0x20_0000), 0x73, 0xf4], // addl $2 MiB, %eax; jnc 2b
    ...[0x0f, 0x20, 0xe0, 0x83, 0xc8, 0x20, 0x0f, 0x22, 0xe0], // CR4.PAE
    ...[0xb8, ...word(tables), 0x0f, 0x22, 0xd8], // CR3
    ...[0xb9, ...word(0xc000_0080), 0x0f, 0x32, 0x0f, 0xba, 0xe8, 0x08, 0x0f, 0x30], // EFER.LME
    ...[0x0f, 0x20, 0xc0, 0x0f, 0xba, 0xe8, 0x1f, 0x0f, 0x22, 0xc0], // CR0.PG
  ];
  const longMode = entry + code.length + 14;
  const inLongMode = [
    ...[0xb8, ...word(0x18), 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0], // %ds, %es, %ss
    ...[0x89, 0xf6], // movl %esi, %esi
    ...[0xb8, ...word(kernelEntry), 0xff, 0xe0], // movl $kernelEntry, %eax; jmp *%rax
  ];
  const descriptors = longMode + inLongMode.length;
  return Buffer.from([
    ...code,
    ...[0x0f, 0x01, 0x15, ...word(descriptors + 32)], // lgdt
    ...[0xea, ...word(longMode), 0x10, 0x00], // ljmp $0x10, $longMode
    ...inLongMode,
    ...Array.from({ length: 16 }, () => 0), // nothing at selectors 0 and 8
    ...[0xff, 0xff, 0x00, 0x00, 0x00, 0x9a, 0xaf, 0x00], // 0x10: 64-bit code
    ...[0xff, 0xff, 0x00, 0x00, 0x00, 0x92, 0xcf, 0x00], // 0x18: data
    ...[31, 0, ...word(descriptors)],
  ]);
}

function realModeBytes(bzImage: Buffer): number {
  // 0 means 4, for the sake of very old kernels.
  return ((bzImage.readUInt8(0x1f1) || 4) + 1) * 512;
}
