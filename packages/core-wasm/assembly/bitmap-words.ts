// What all bitmap kernels share: pages and words, the workspace, blocks of 64 and 128 bytes.
//
//   page 0 … 63      page 64 … 127
//   ┌───────────────┬───────────────┬─ … ─┬───────────────┐   bit n of a word is its n-th page;
//   │ u64 word 0    │ u64 word 1    │     │ last word     │   words are little-endian, and all of
//   └───────────────┴───────────────┴─ … ─┴───────────────┘   them lie on 8-byte boundaries
//
//   workspace: what kernels need beside the bitmaps, in the caller's memory. The module has no data of its own: it
//   would be written again by each thread that instantiates the module over the same memory.
//   ┌──────────────────────────────┬─────────────────────────┬──────────────────────┬───────┬────────────┐
//   │ 0 next page │ 4 tag │ 8 way  │ 64 rows: 256 × 8 × u32  │ 8256 output: 64 Ki   │ slack │ one span,  │
//   │                              │ positions of set bits   │ × u32                │       │ its edges  │
//   └──────────────────────────────┴─────────────────────────┴──────────────────────┴───────┴────────────┘

import { check } from './bitmap-check';

export const ROWS: usize = 64;
export const OUTPUT: usize = 8256;
export const OUTPUT_ENTRIES: u32 = 65536;
const SLACK_BYTES: usize = 256;
export const EDGES: usize = OUTPUT + 4 * <usize>OUTPUT_ENTRIES + SLACK_BYTES;

const NEXT_PAGE: usize = 0;
const TAG_OFFSET: usize = 4;
const TAG: u32 = 0x4249_5450;

/** What is looked at and worked on in one go: 1024 pages. */
export const BLOCK_BYTES: usize = 128;

/** What is worked on in one way without a thought: 65,536 pages, 256 MiB of pages of 4 KiB. */
export const SPAN_BYTES: usize = 8192;

/** Behind it there is room for a block, for what is less than a block, and for the word at the end. */
@inline
export function outputLimit(workspace: usize): usize {
  return workspace + OUTPUT + 4 * (<usize>OUTPUT_ENTRIES - 2112);
}

export function bitmapInitialize(workspace: usize): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let entry = workspace + ROWS + (byte << 5);
    memory.fill(entry, 0, 32);
    for (let bit: u32 = 0; bit < 8; bit++) {
      if ((byte >> bit) & 1) {
        store<u32>(entry, bit);
        entry += 4;
      }
    }
  }
  memory.fill(workspace, 0, ROWS);
  store<u32>(workspace, TAG, TAG_OFFSET);
}

/** Where the last extract, runs or histogram stopped. */
export function bitmapNextPage(workspace: usize): u32 {
  return load<u32>(workspace, NEXT_PAGE);
}

export function setNextPage(workspace: usize, page: u32): void {
  store<u32>(workspace, page, NEXT_PAGE);
}

/** Words of the workspace between 8 and 63 are what a kernel remembers; all zero at first. */
@inline
export function loadState(workspace: usize, offset: usize): u32 {
  return load<u32>(workspace + offset);
}

@inline
export function storeState(workspace: usize, offset: usize, value: u32): void {
  store<u32>(workspace + offset, value);
}

/** Only the debug build asks. */
export function checkRange(bitmap: usize, start: u32, end: u32): void {
  check((bitmap & 7) == 0, 1);
  check(start <= end, 2);
}

/** Only the debug build asks. */
export function checkWorkspace(workspace: usize): void {
  if (!ASC_NO_ASSERT) check(load<u32>(workspace, TAG_OFFSET) == TAG, 3);
}

@inline
export function wordOf(bitmap: usize, page: u32): usize {
  return bitmap + (<usize>(page >> 6) << 3);
}

/** The bits of the page's word from the page upwards. */
@inline
export function maskFrom(page: u32): u64 {
  return ~(<u64>0) << (page & 63);
}

/** The bits of the page's word below the page: none for the first one. */
@inline
export function maskBelow(page: u32): u64 {
  return ~maskFrom(page);
}

/** Whether 128 bytes hold a bit. One test for eight vectors: a test is five instructions, an OR is one. */
@inline
export function any128(word: usize): bool {
  if (ASC_FEATURE_SIMD) {
    return v128.any_true(v128.or(or64(word), or64(word + 64)));
  } else {
    return (or64Scalar(word) | or64Scalar(word + 64)) != 0;
  }
}

/** Whether 128 bytes lack a bit. */
@inline
export function anyZero128(word: usize): bool {
  if (ASC_FEATURE_SIMD) {
    return v128.any_true(v128.not(v128.and(and64(word), and64(word + 64))));
  } else {
    return (and64Scalar(word) & and64Scalar(word + 64)) != ~(<u64>0);
  }
}

@inline
function or64(word: usize): v128 {
  return v128.or(
    v128.or(v128.load(word), v128.load(word, 16)),
    v128.or(v128.load(word, 32), v128.load(word, 48)),
  );
}

@inline
function and64(word: usize): v128 {
  return v128.and(
    v128.and(v128.load(word), v128.load(word, 16)),
    v128.and(v128.load(word, 32), v128.load(word, 48)),
  );
}

@inline
function or64Scalar(word: usize): u64 {
  return (
    (load<u64>(word) | load<u64>(word, 8) | load<u64>(word, 16)) |
    (load<u64>(word, 24) | load<u64>(word, 32) | load<u64>(word, 40)) |
    (load<u64>(word, 48) | load<u64>(word, 56))
  );
}

@inline
function and64Scalar(word: usize): u64 {
  return (
    load<u64>(word) & load<u64>(word, 8) & load<u64>(word, 16) &
    (load<u64>(word, 24) & load<u64>(word, 32) & load<u64>(word, 40)) &
    (load<u64>(word, 48) & load<u64>(word, 56))
  );
}

/** Bits of 64 bytes. Scalar on purpose: a byte-wise vector count costs more instructions than eight popcnt. */
@inline
export function count64(word: usize): u64 {
  return (
    popcnt(load<u64>(word)) + popcnt(load<u64>(word, 8)) +
    (popcnt(load<u64>(word, 16)) + popcnt(load<u64>(word, 24))) +
    (popcnt(load<u64>(word, 32)) + popcnt(load<u64>(word, 40)) +
      (popcnt(load<u64>(word, 48)) + popcnt(load<u64>(word, 56))))
  );
}

/** Bit n: the n-th of 32 words of 32 bits in 128 bytes is not zero. */
@inline
export function nonzeroWords128(source: usize): u32 {
  return nonzeroWords64(source) | (nonzeroWords64(source + 64) << 16);
}

/** Bit n: the n-th of 16 words of 32 bits in 64 bytes is not zero. What saturates does not become zero. */
@inline
export function nonzeroWords64(source: usize): u32 {
  if (ASC_FEATURE_SIMD) {
    const low = i16x8.narrow_i32x4_s(v128.load(source), v128.load(source, 16));
    const high = i16x8.narrow_i32x4_s(v128.load(source, 32), v128.load(source, 48));
    const zeros = i8x16.eq(i8x16.narrow_i16x8_s(low, high), i64x2.splat(0));
    return <u32>i8x16.bitmask(zeros) ^ 0xffff;
  } else {
    let mask: u32 = 0;
    for (let index: u32 = 0; index < 16; index++) {
      mask |= u32(load<u32>(source + (index << 2)) != 0) << index;
    }
    return mask;
  }
}
