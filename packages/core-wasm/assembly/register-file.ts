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

/** Bit n: an access may be n bytes wide. */
const VALID_WIDTHS: u32 = 0b1_0110;

const FILE_SIZE_BYTES: usize = 0;
const FILE_BYTE_ENABLES: usize = 4;
const FILE_HARDWARE_VALUE: usize = 8;
const FILE_TAG: usize = 12;

const ACCESS_BYTES: usize = 32;
const ACCESS_SHIFT: usize = 5;
const ACCESS_OFFSET: usize = 0;
const ACCESS_WIDTH: usize = 4;
const ACCESS_VALUE: usize = 8;
const ACCESS_HARDWARE: usize = 12;
const ACCESS_RESULT: usize = 16;
const ACCESS_BYTE_ENABLES: usize = 20;

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
  if (!isInside(file, offset, width)) return anyWidthMask(width);
  const word = wordAtOffset(file, offset);
  const virtual = load<u32>(word, VIRTUAL);
  const ours = (load<u32>(word, SHADOW) & virtual) >> laneShift(offset);
  const theirs = hardware & ~(virtual >> laneShift(offset));
  return (ours | theirs) & widthMask(width);
}

/** Returns the changed shadow bits that are to be reported; leaves what hardware must be given in the header. */
export function registerFileWrite(file: usize, offset: u32, width: u32, value: u32, hardware: u32): u32 {
  // First, so that a refused write can never leave the result of the one before.
  store<u64>(file, 0, FILE_BYTE_ENABLES);
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
    const touched = touchedBytes(reaching);
    store<u32>(file, byteEnables(touched), FILE_BYTE_ENABLES);
    store<u32>(file, (written & reaching) | (kept & (touched * 0xff)), FILE_HARDWARE_VALUE);
  }
  return (shadow ^ next) & load<u32>(word, NOTIFY);
}

/** Reads of a batch, one after the other; each leaves its value in its access. */
export function registerFileReadBatch(file: usize, accesses: usize, count: u32): void {
  const end = accesses + ((<usize>count) << ACCESS_SHIFT);
  for (let access = accesses; access < end; access += ACCESS_BYTES) {
    const value = registerFileRead(
      file,
      load<u32>(access, ACCESS_OFFSET),
      load<u32>(access, ACCESS_WIDTH),
      load<u32>(access, ACCESS_HARDWARE),
    );
    store<u32>(access, value, ACCESS_RESULT);
  }
}

/** Writes of a batch, in their order; each leaves in its access what `registerFileWrite` returns and leaves. */
export function registerFileWriteBatch(file: usize, accesses: usize, count: u32): void {
  const end = accesses + ((<usize>count) << ACCESS_SHIFT);
  for (let access = accesses; access < end; access += ACCESS_BYTES) {
    const changed = registerFileWrite(
      file,
      load<u32>(access, ACCESS_OFFSET),
      load<u32>(access, ACCESS_WIDTH),
      load<u32>(access, ACCESS_VALUE),
      load<u32>(access, ACCESS_HARDWARE),
    );
    store<u32>(access, changed, ACCESS_RESULT);
    store<u64>(access, load<u64>(file, FILE_BYTE_ENABLES), ACCESS_BYTE_ENABLES);
  }
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

/**
 * Aligned accesses of 1, 2 or 4 bytes only, so none crosses a word. One jump for all of it: widths and offsets come as
 * the guest likes, and what cannot be foretold costs more than what is computed in vain.
 */
function isInside(file: usize, offset: u32, width: u32): bool {
  const isWidth = (VALID_WIDTHS >> (width & 31)) & u32(width <= 4);
  const isPlace = u32((offset & (width - 1)) == 0) & u32(offset < fileSizeBytes(file));
  return (isWidth & isPlace) != 0;
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

/** All ones of 1, 2 or 4 bytes. */
function widthMask(width: u32): u32 {
  return (<u32>0xffff_ffff) >> (32 - (width << 3));
}

/** The same of a width that was refused, at most 32 bits. */
function anyWidthMask(width: u32): u32 {
  return width >= 4 ? 0xffff_ffff : ((<u32>1) << (width << 3)) - 1;
}

/** 1 in the lowest bit of each byte of which `mask` holds a bit; no bit moves further than the byte it is in. */
function touchedBytes(mask: u32): u32 {
  mask |= mask >> 4;
  mask |= mask >> 2;
  mask |= mask >> 1;
  return mask & 0x0101_0101;
}

/** The lowest bit of each byte, gathered: bit n stands for byte n. The product moves them to bits 28 to 31. */
function byteEnables(touched: u32): u32 {
  return (touched * 0x1020_4080) >> 28;
}

/** Without the condition the release build would keep the load. */
function assertFile(file: usize): void {
  if (!ASC_NO_ASSERT) assert(load<u32>(file, FILE_TAG) == TAG, 'address is that of a register file');
}
