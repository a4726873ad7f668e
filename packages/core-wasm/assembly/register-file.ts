// A file of 32-bit words, each bit of which is either held here (virtual: the shadow answers) or read from hardware.
//
//   file ──▶ ┌────────────┬────────────┬───────────────┬──────────┐
//            │ size       │ byte       │ hardware      │ tag      │   header: result of the last write
//            │ (bytes)    │ enables    │ value         │          │
//            ├────────────┼────────────┼───────────────┼──────────┼───────────────┬──────┬────────┬────────┐
//   word 0   │ shadow     │ virtual    │ shadow write  │ hw write │ rw1c          │notify│ reset  │ (free) │
//   word 1   │ …          │            │               │          │               │      │        │        │
//            └────────────┴────────────┴───────────────┴──────────┴───────────────┴──────┴────────┴────────┘
//
// `offset`, `width` and the values of the access functions are not trusted: each checks them itself, in both builds.
// Everything else comes from the host's wrapper, which has checked it; the assertions exist in the debug build only.

const HEADER_BYTES: u32 = 16;
const WORD_BYTES: u32 = 32;
const WORD_SHIFT: u32 = 5;
const TAG: u32 = 0x5245_4746;

const FILE_SIZE_BYTES: usize = 0;
const FILE_BYTE_ENABLES: usize = 4;
const FILE_HARDWARE_VALUE: usize = 8;
const FILE_TAG: usize = 12;

const SHADOW: usize = 0;
const VIRTUAL: usize = 4;
const SHADOW_WRITE: usize = 8;
const HARDWARE_WRITE: usize = 12;
const RW1C: usize = 16;
const NOTIFY: usize = 20;
const RESET: usize = 24;

export function registerFileStorageBytes(sizeBytes: u32): u32 {
  return HEADER_BYTES + (sizeBytes >> 2) * WORD_BYTES;
}

/** Every word starts as read-through and write-dropped: all masks zero. */
export function registerFileInitialize(file: usize, sizeBytes: u32): void {
  assert((file & 15) == 0, 'storage is 16-byte aligned');
  assert((sizeBytes & 3) == 0, 'size is whole words');
  memory.fill(file, 0, <usize>registerFileStorageBytes(sizeBytes));
  store<u32>(file, sizeBytes, FILE_SIZE_BYTES);
  store<u32>(file, TAG, FILE_TAG);
}

export function registerFileDefine(
  file: usize,
  index: u32,
  virtual: u32,
  reset: u32,
  shadowWrite: u32,
  hardwareWrite: u32,
  rw1c: u32,
  notify: u32,
): void {
  assert((shadowWrite & ~virtual) == 0, 'shadowWrite is inside virtual');
  assert((hardwareWrite & virtual) == 0, 'hardwareWrite is outside virtual');
  assert((notify & ~shadowWrite) == 0, 'notify is inside shadowWrite');
  const word = wordAtIndex(file, index);
  store<u32>(word, virtual, VIRTUAL);
  store<u32>(word, shadowWrite, SHADOW_WRITE);
  store<u32>(word, hardwareWrite, HARDWARE_WRITE);
  store<u32>(word, rw1c, RW1C);
  store<u32>(word, notify, NOTIFY);
  store<u32>(word, reset & virtual, RESET);
  store<u32>(word, reset & virtual, SHADOW);
}

export function registerFileReset(file: usize): void {
  const wordCount = fileSizeBytes(file) >> 2;
  for (let index: u32 = 0; index < wordCount; index++) {
    const word = wordAtIndex(file, index);
    store<u32>(word, load<u32>(word, RESET), SHADOW);
  }
  store<u32>(file, 0, FILE_BYTE_ENABLES);
  store<u32>(file, 0, FILE_HARDWARE_VALUE);
}

export function registerFileNeedsHardwareToRead(file: usize, offset: u32, width: u32): bool {
  if (!isInside(file, offset, width)) return false;
  return (laneMask(offset, width) & ~load<u32>(wordAtOffset(file, offset), VIRTUAL)) != 0;
}

export function registerFileNeedsHardwareToWrite(file: usize, offset: u32, width: u32): bool {
  if (!isInside(file, offset, width)) return false;
  return (laneMask(offset, width) & load<u32>(wordAtOffset(file, offset), HARDWARE_WRITE)) != 0;
}

export function registerFileRead(file: usize, offset: u32, width: u32, hardware: u32): u32 {
  const ones = widthMask(width);
  if (!isInside(file, offset, width)) return ones;
  const word = wordAtOffset(file, offset);
  const shift = laneShift(offset);
  const virtual = load<u32>(word, VIRTUAL) >> shift;
  return (((load<u32>(word, SHADOW) >> shift) & virtual) | (hardware & ~virtual)) & ones;
}

/** Returns the changed shadow bits that are to be reported; leaves what hardware must be given in the header. */
export function registerFileWrite(file: usize, offset: u32, width: u32, value: u32, hardware: u32): u32 {
  // First, so that a refused write can never leave the result of the one before.
  store<u32>(file, 0, FILE_BYTE_ENABLES);
  store<u32>(file, 0, FILE_HARDWARE_VALUE);
  if (!isInside(file, offset, width)) return 0;

  const word = wordAtOffset(file, offset);
  const shift = laneShift(offset);
  const valid = laneMask(offset, width);
  const written = value << shift;

  const shadow = load<u32>(word, SHADOW);
  const shadowWrite = load<u32>(word, SHADOW_WRITE) & valid;
  const next = (shadow & ~shadowWrite) | (written & shadowWrite);
  store<u32>(word, next, SHADOW);

  const hardwareWrite = load<u32>(word, HARDWARE_WRITE);
  const reaching = hardwareWrite & valid;
  if (reaching != 0) {
    // Bits that share a byte with a written one are given back as read, except those that a 1 would clear.
    const kept = (hardware << shift) & ~load<u32>(word, RW1C) & ~hardwareWrite;
    const bytes = touchedBytes(reaching);
    store<u32>(file, byteEnables(bytes), FILE_BYTE_ENABLES);
    store<u32>(file, (written & reaching) | (kept & bytes), FILE_HARDWARE_VALUE);
  }
  return (shadow ^ next) & load<u32>(word, NOTIFY);
}

export function registerFileHardwareByteEnables(file: usize): u32 {
  assertFile(file);
  return load<u32>(file, FILE_BYTE_ENABLES);
}

export function registerFileHardwareValue(file: usize): u32 {
  assertFile(file);
  return load<u32>(file, FILE_HARDWARE_VALUE);
}

export function registerFileShadow(file: usize, index: u32): u32 {
  return load<u32>(wordAtIndex(file, index), SHADOW);
}

export function registerFileSetShadow(file: usize, index: u32, value: u32): void {
  store<u32>(wordAtIndex(file, index), value, SHADOW);
}

/** Aligned accesses of 1, 2 or 4 bytes only, so none crosses a word. */
function isInside(file: usize, offset: u32, width: u32): bool {
  if (width != 1 && width != 2 && width != 4) return false;
  return (offset & (width - 1)) == 0 && offset < fileSizeBytes(file);
}

function fileSizeBytes(file: usize): u32 {
  assertFile(file);
  return load<u32>(file, FILE_SIZE_BYTES);
}

function wordAtOffset(file: usize, offset: u32): usize {
  return wordAtIndex(file, offset >> 2);
}

function wordAtIndex(file: usize, index: u32): usize {
  if (!ASC_NO_ASSERT) assert(index < fileSizeBytes(file) >> 2, 'word index is inside the file');
  return file + HEADER_BYTES + (index << WORD_SHIFT);
}

/** Position of the access's lowest bit in its word. */
function laneShift(offset: u32): u32 {
  return (offset & 3) << 3;
}

/** Bits of the word that the access covers. */
function laneMask(offset: u32, width: u32): u32 {
  return widthMask(width) << laneShift(offset);
}

/** All ones of `width` bytes, at most 32 bits. */
function widthMask(width: u32): u32 {
  return width >= 4 ? 0xffff_ffff : ((<u32>1) << (width << 3)) - 1;
}

/** 0xff in each byte of which `mask` holds a bit. */
function touchedBytes(mask: u32): u32 {
  return (
    select<u32>(0x0000_00ff, 0, (mask & 0x0000_00ff) != 0) |
    select<u32>(0x0000_ff00, 0, (mask & 0x0000_ff00) != 0) |
    select<u32>(0x00ff_0000, 0, (mask & 0x00ff_0000) != 0) |
    select<u32>(0xff00_0000, 0, (mask & 0xff00_0000) != 0)
  );
}

/** The lowest bit of each byte, gathered: bit n stands for byte n. */
function byteEnables(bytes: u32): u32 {
  return (bytes & 1) | ((bytes >> 7) & 2) | ((bytes >> 14) & 4) | ((bytes >> 21) & 8);
}

/** Without the condition the release build would keep the load. */
function assertFile(file: usize): void {
  if (!ASC_NO_ASSERT) assert(load<u32>(file, FILE_TAG) == TAG, 'address is that of a register file');
}
