// Harvest: what is dirty moves from one bitmap into another, and what is new there is counted.

import { skipEmpty } from './bitmap-emit';
import { BLOCK_BYTES, checkRange, maskBelow, maskFrom, nonzeroWords128, wordOf } from './bitmap-words';

/** As for counting; moving without a look costs more, so looking pays up to more blocks. */
const SPARSE_BYTES: usize = 4096;
const SPARSE_BLOCKS: u64 = 16;
const DENSE_BYTES: usize = 65536;

/** into |= from, from = 0. Nobody else writes either. Returns how many bits of `into` are new. */
export function bitmapHarvest(from: usize, into: usize, start: u32, end: u32): u32 {
  checkRange(from, start, end);
  checkRange(into, start, end);
  if (start >= end) return 0;
  const word = wordOf(from, start);
  const last = wordOf(from, end);
  const distance = into - from;
  if (word == last) return <u32>moveBits(word, distance, maskFrom(start) & maskBelow(end));
  let fresh = moveBits(word, distance, maskFrom(start)) + moveWords(word + 8, last, distance);
  if (end & 63) fresh += moveBits(last, distance, maskBelow(end));
  return <u32>fresh;
}

/** The same while others set bits of `from` by atomic OR; `into` is this thread's alone. */
export function bitmapHarvestAtomic(from: usize, into: usize, start: u32, end: u32): u32 {
  checkRange(from, start, end);
  checkRange(into, start, end);
  if (start >= end) return 0;
  let word = wordOf(from, start);
  const last = wordOf(from, end);
  const distance = into - from;
  if (word == last) return <u32>takeBits(word, distance, maskFrom(start) & maskBelow(end));
  let fresh = takeBits(word, distance, maskFrom(start));
  word += 8;
  const blocks = word + ((last - word) & ~(BLOCK_BYTES - 1));
  while (word < blocks) {
    word = skipEmpty(word, blocks);
    if (word == blocks) break;
    fresh += takeBlock(word, distance);
    word += BLOCK_BYTES;
  }
  for (; word < last; word += 8) {
    if (load<u64>(word) != 0) fresh += takeWord(word, distance);
  }
  if (end & 63) fresh += takeBits(last, distance, maskBelow(end));
  return <u32>fresh;
}

function moveBits(word: usize, distance: usize, mask: u64): u64 {
  const old = load<u64>(word);
  const known = load<u64>(word + distance);
  store<u64>(word + distance, known | (old & mask));
  store<u64>(word, old & ~mask);
  return popcnt(old & mask & ~known);
}

function moveWords(word: usize, last: usize, distance: usize): u64 {
  let fresh: u64 = 0;
  while (last - word >= 128) {
    let end = word + min<usize>(SPARSE_BYTES, (last - word) & ~127);
    const found = moveSparse(word, end, distance);
    fresh += found & 0xffff_ffff;
    word = end;
    if (found >> 32 > SPARSE_BLOCKS) {
      end = word + min<usize>(DENSE_BYTES, (last - word) & ~63);
      fresh += moveDense(word, end, distance);
      word = end;
    }
  }
  for (; word < last; word += 8) fresh += moveBits(word, distance, ~(<u64>0));
  return fresh;
}

/** New bits, and above them the number of blocks that were not empty. */
function moveSparse(word: usize, end: usize, distance: usize): u64 {
  let found: u64 = 0;
  while (word < end) {
    word = skipEmpty(word, end);
    if (word == end) break;
    found += 0x1_0000_0000 + moveBlock(word, distance);
    word += BLOCK_BYTES;
  }
  return found;
}

/** The words of 128 bytes that are not zero, one after the other. */
function moveBlock(word: usize, distance: usize): u64 {
  let fresh: u64 = 0;
  const halves = nonzeroWords128(word);
  for (let words = (halves | (halves >> 1)) & 0x5555_5555; words != 0; words &= words - 1) {
    fresh += moveWord(word + (ctz(words) << 2), distance);
  }
  return fresh;
}

/** Whole blocks of 64 bytes. */
function moveDense(word: usize, end: usize, distance: usize): u64 {
  let fresh: u64 = 0;
  if (ASC_FEATURE_SIMD) {
    const zero = i64x2.splat(0);
    let ones = zero;
    let twos = zero;
    let fours = zero;
    for (; word < end; word += 64) {
      const a = moveVector(word, distance);
      const b = moveVector(word + 16, distance);
      const c = moveVector(word + 32, distance);
      const d = moveVector(word + 48, distance);
      // Carry-save addition (Harley and Seal): the costly count of bytes is taken of one vector in four.
      const onesA = v128.xor(ones, a);
      const carryA = v128.or(v128.and(ones, a), v128.and(onesA, b));
      const onesB = v128.xor(onesA, b);
      const onesC = v128.xor(onesB, c);
      const carryB = v128.or(v128.and(onesB, c), v128.and(onesC, d));
      ones = v128.xor(onesC, d);
      const twosA = v128.xor(twos, carryA);
      const carry = v128.or(v128.and(twos, carryA), v128.and(twosA, carryB));
      twos = v128.xor(twosA, carryB);
      fours = i16x8.add(fours, i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(carry)));
    }
    fresh = 4 * sum16(fours) + 2 * count16(twos) + count16(ones);
  } else {
    for (; word < end; word += 32) {
      fresh += moveWord(word, distance) + moveWord(word + 8, distance);
      fresh += moveWord(word + 16, distance) + moveWord(word + 24, distance);
    }
  }
  return fresh;
}

/** Moves 16 bytes; returns what was new. */
@inline
function moveVector(word: usize, distance: usize): v128 {
  const target = word + distance;
  const bits = v128.load(word);
  const known = v128.load(target);
  v128.store(target, v128.or(bits, known));
  v128.store(word, i64x2.splat(0));
  return v128.andnot(bits, known);
}

function count16(bits: v128): u64 {
  return popcnt(i64x2.extract_lane(bits, 0)) + popcnt(i64x2.extract_lane(bits, 1));
}

/** Of eight u16, which must not come to 65,536 each: 2047 blocks and more. */
function sum16(sums: v128): u64 {
  const four = i32x4.extadd_pairwise_i16x8_u(sums);
  const two = i64x2.add(four, i64x2.shr_u(four, 32));
  return <u64>(<u32>i64x2.extract_lane(two, 0)) + <u64>(<u32>i64x2.extract_lane(two, 1));
}

@inline
function moveWord(word: usize, distance: usize): u64 {
  const old = load<u64>(word);
  const known = load<u64>(word + distance);
  store<u64>(word + distance, known | old);
  store<u64>(word, 0);
  return popcnt(old & ~known);
}

function takeBits(word: usize, distance: usize, mask: u64): u64 {
  const old = atomic.and<u64>(word, ~mask) & mask;
  const known = load<u64>(word + distance);
  store<u64>(word + distance, known | old);
  return popcnt(old & ~known);
}

/** Words that were zero a moment ago are left alone: the exchange costs more than all the rest. */
function takeBlock(word: usize, distance: usize): u64 {
  let fresh: u64 = 0;
  const halves = nonzeroWords128(word);
  for (let words = (halves | (halves >> 1)) & 0x5555_5555; words != 0; words &= words - 1) {
    fresh += takeWord(word + (ctz(words) << 2), distance);
  }
  return fresh;
}

@inline
function takeWord(word: usize, distance: usize): u64 {
  const old = atomic.xchg<u64>(word, 0);
  const known = load<u64>(word + distance);
  store<u64>(word + distance, known | old);
  return popcnt(old & ~known);
}
