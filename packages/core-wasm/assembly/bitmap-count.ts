// Counting: of a range, per region, and whether there is anything to count.

import { any128, checkRange, count64, maskBelow, maskFrom, wordOf } from './bitmap-words';

/** What is looked at, block by block of 128 bytes, before it is known that looking does not pay. */
const SPARSE_BYTES: usize = 4096;
/** Blocks of those 32 that hold something: with more of them, counting all costs less than looking first. */
const SPARSE_BLOCKS: u64 = 6;
/** What is counted without a look before the next attempt: the attempts cost a sixteenth at most. */
const DENSE_BYTES: usize = 65536;

export function bitmapAny(bitmap: usize, start: u32, end: u32): bool {
  checkRange(bitmap, start, end);
  if (start >= end) return false;
  let word = wordOf(bitmap, start);
  const last = wordOf(bitmap, end);
  if (word == last) return (load<u64>(word) & maskFrom(start) & maskBelow(end)) != 0;
  if (load<u64>(word) & maskFrom(start)) return true;
  word += 8;
  for (; last - word >= 128; word += 128) {
    if (any128(word)) return true;
  }
  for (; word < last; word += 8) {
    if (load<u64>(word)) return true;
  }
  return (end & 63) != 0 && (load<u64>(last) & maskBelow(end)) != 0;
}

export function bitmapCount(bitmap: usize, start: u32, end: u32): u32 {
  checkRange(bitmap, start, end);
  if (start >= end) return 0;
  const word = wordOf(bitmap, start);
  const last = wordOf(bitmap, end);
  if (word == last) return <u32>popcnt(load<u64>(word) & maskFrom(start) & maskBelow(end));
  let count = popcnt(load<u64>(word) & maskFrom(start)) + countWords(word + 8, last);
  if (end & 63) count += popcnt(load<u64>(last) & maskBelow(end));
  return <u32>count;
}

/** Whole words. The loops are functions of their own: in one function their variables would not fit the registers. */
export function countWords(word: usize, last: usize): u64 {
  let count: u64 = 0;
  while (last - word >= 128) {
    let end = word + min<usize>(SPARSE_BYTES, (last - word) & ~127);
    const found = countSparse(word, end);
    count += found & 0xffff_ffff;
    word = end;
    if (found >> 32 > SPARSE_BLOCKS) {
      end = word + min<usize>(DENSE_BYTES, (last - word) & ~63);
      count += countDense(word, end);
      word = end;
    }
  }
  for (; word < last; word += 8) count += popcnt(load<u64>(word));
  return count;
}

/** Bits, and above them the number of blocks that hold some. */
function countSparse(word: usize, end: usize): u64 {
  let found: u64 = 0;
  for (; word < end; word += 256) {
    if (any128(word)) found += 0x1_0000_0000 + count64(word) + count64(word + 64);
    if (word + 128 >= end) break;
    if (any128(word + 128)) found += 0x1_0000_0000 + count64(word + 128) + count64(word + 192);
  }
  return found;
}

/**
 * Whole blocks of 64 bytes. The engine loads all of a basic block before it counts anything, and 64 bytes is what
 * the registers hold; the exits in between end the block, and keep the loop's own cost to a fourth.
 */
export function countDense(word: usize, end: usize): u64 {
  let count: u64 = 0;
  for (; word < end; word += 256) {
    count += count64(word);
    if (word + 64 == end) break;
    count += count64(word + 64);
    if (word + 128 == end) break;
    count += count64(word + 128);
    if (word + 192 == end) break;
    count += count64(word + 192);
  }
  return count;
}
