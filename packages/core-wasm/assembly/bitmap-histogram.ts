// Pages per region. A region is 2^shift pages; the first and the last one of a range may be cut.

import { bitmapCount, countDense, countWords } from './bitmap-count';
import {
  BLOCK_BYTES,
  OUTPUT,
  OUTPUT_ENTRIES,
  any128,
  checkRange,
  checkWorkspace,
  count64,
  setNextPage,
  wordOf,
} from './bitmap-words';

/** Regions of so many blocks of 64 bytes, and fewer, are counted block by block. */
const BLOCK_SHIFT: u32 = 9;

/** As for counting: bytes of entries that stand for 4 KiB and for 64 KiB of bitmap, and pairs of 32. */
const SPARSE_ENTRIES: usize = 256;
const DENSE_ENTRIES: usize = 4096;
const SPARSE_BLOCKS: u32 = 6;

/** Returns the number of regions counted; resumable at a region's start. */
export function bitmapHistogram(workspace: usize, bitmap: usize, start: u32, end: u32, shift: u32): u32 {
  checkWorkspace(workspace);
  checkRange(bitmap, start, end);
  const output = workspace + OUTPUT;
  const limit = output + 4 * <usize>OUTPUT_ENTRIES;
  const regionMask = ((<u64>1) << shift) - 1;
  let entry = output;
  let page = <u64>start;
  // The cut region at the start, or nothing.
  if (page < <u64>end && (page & regionMask) != 0) {
    const stop = min<u64>((page | regionMask) + 1, <u64>end);
    store<u32>(entry, bitmapCount(bitmap, <u32>page, <u32>stop));
    entry += 4;
    page = stop;
  }
  const whole = min<u64>((<u64>end - min<u64>(page, <u64>end)) >> shift, <u64>((limit - entry) >> 2));
  if (whole != 0) {
    const pages = whole << shift;
    entry = wholeRegions(bitmap, <u32>page, <u32>whole, shift, entry);
    page += pages;
  }
  // The cut region at the end, or nothing.
  if (page < <u64>end && <u64>end - page <= regionMask && entry < limit) {
    store<u32>(entry, bitmapCount(bitmap, <u32>page, end));
    entry += 4;
    page = <u64>end;
  }
  setNextPage(workspace, <u32>page);
  return <u32>((entry - output) >> 2);
}

/** Returns the first entry not written. */
function wholeRegions(bitmap: usize, page: u32, count: u32, shift: u32, entry: usize): usize {
  if (shift < 6) return insideWords(bitmap, page, count, shift, entry);
  const word = wordOf(bitmap, page);
  const bytes = (<usize>1) << (shift - 3);
  const limit = entry + 4 * <usize>count;
  if (shift == BLOCK_SHIFT) return blocks(word, limit, entry);
  if (shift < BLOCK_SHIFT) {
    for (let from = word; entry < limit; entry += 4) {
      let pages: u64 = 0;
      for (const last = from + bytes; from < last; from += 8) pages += popcnt(load<u64>(from));
      store<u32>(entry, <u32>pages);
    }
    return entry;
  }
  if (bytes < BLOCK_BYTES << 4) return smallRegions(word, bytes, limit, entry);
  return largeRegions(word, bytes, limit, entry);
}

/** Regions of 1 … 32 pages. */
function insideWords(bitmap: usize, page: u32, count: u32, shift: u32, entry: usize): usize {
  const mask = ((<u64>1) << ((<u64>1) << shift)) - 1;
  for (; count != 0; count--) {
    store<u32>(entry, <u32>popcnt((load<u64>(wordOf(bitmap, page)) >> (page & 63)) & mask));
    entry += 4;
    page += 1 << shift;
  }
  return entry;
}

/** Regions of 64 bytes. */
function blocks(word: usize, limit: usize, entry: usize): usize {
  while (limit - entry >= 8) {
    let end = entry + min<usize>(SPARSE_ENTRIES, (limit - entry) & ~7);
    const nonzero = blocksSparse(word, end, entry);
    word += (end - entry) << 4;
    entry = end;
    if (nonzero > SPARSE_BLOCKS) {
      end = entry + min<usize>(DENSE_ENTRIES, limit - entry);
      blocksDense(word, end, entry);
      word += (end - entry) << 4;
      entry = end;
    }
  }
  for (; entry < limit; entry += 4, word += 64) store<u32>(entry, <u32>count64(word));
  return entry;
}

/** Two regions at a time; returns how many pairs were not empty. */
function blocksSparse(word: usize, limit: usize, entry: usize): u32 {
  let nonzero: u32 = 0;
  for (; entry < limit; entry += 8, word += 128) {
    if (any128(word)) {
      nonzero++;
      store<u32>(entry, <u32>count64(word));
      store<u32>(entry, <u32>count64(word + 64), 4);
    } else {
      store<u64>(entry, 0);
    }
  }
  return nonzero;
}

function blocksDense(word: usize, limit: usize, entry: usize): void {
  for (; entry < limit; entry += 4, word += 64) store<u32>(entry, <u32>count64(word));
}

/** Regions of 128 … 1024 bytes. */
function smallRegions(word: usize, bytes: usize, limit: usize, entry: usize): usize {
  for (; entry < limit; entry += 4) {
    store<u32>(entry, <u32>countDense(word, word + bytes));
    word += bytes;
  }
  return entry;
}

/** Regions of whole chunks. */
function largeRegions(word: usize, bytes: usize, limit: usize, entry: usize): usize {
  for (; entry < limit; entry += 4, word += bytes) store<u32>(entry, <u32>countWords(word, word + bytes));
  return entry;
}
