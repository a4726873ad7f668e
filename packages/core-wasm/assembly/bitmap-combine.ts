// Two bitmaps into one, and ranges of one: whole words in vectors, the words at both ends under a mask.

import { checkRange, maskBelow, maskFrom, wordOf } from './bitmap-words';

/** target |= source */
export function bitmapOr(target: usize, source: usize, start: u32, end: u32): void {
  checkRange(target, start, end);
  checkRange(source, start, end);
  if (start >= end) return;
  let word = wordOf(target, start);
  const last = wordOf(target, end);
  const distance = source - target;
  if (word == last) return orWord(word, distance, maskFrom(start) & maskBelow(end));
  orWord(word, distance, maskFrom(start));
  word += 8;
  if (ASC_FEATURE_SIMD) {
    for (; last - word >= 64; word += 64) {
      orVector(word, distance);
      orVector(word + 16, distance);
      orVector(word + 32, distance);
      orVector(word + 48, distance);
    }
  }
  for (; word < last; word += 8) orWord(word, distance, ~(<u64>0));
  if (end & 63) orWord(last, distance, maskBelow(end));
}

/** target &= ~source */
export function bitmapAndNot(target: usize, source: usize, start: u32, end: u32): void {
  checkRange(target, start, end);
  checkRange(source, start, end);
  if (start >= end) return;
  let word = wordOf(target, start);
  const last = wordOf(target, end);
  const distance = source - target;
  if (word == last) return andNotWord(word, distance, maskFrom(start) & maskBelow(end));
  andNotWord(word, distance, maskFrom(start));
  word += 8;
  if (ASC_FEATURE_SIMD) {
    for (; last - word >= 64; word += 64) {
      andNotVector(word, distance);
      andNotVector(word + 16, distance);
      andNotVector(word + 32, distance);
      andNotVector(word + 48, distance);
    }
  }
  for (; word < last; word += 8) andNotWord(word, distance, ~(<u64>0));
  if (end & 63) andNotWord(last, distance, maskBelow(end));
}

export function bitmapSet(bitmap: usize, start: u32, end: u32): void {
  checkRange(bitmap, start, end);
  if (start >= end) return;
  const word = wordOf(bitmap, start);
  const last = wordOf(bitmap, end);
  if (word == last) return setBits(word, maskFrom(start) & maskBelow(end));
  setBits(word, maskFrom(start));
  memory.fill(word + 8, 0xff, last - word - 8);
  if (end & 63) setBits(last, maskBelow(end));
}

export function bitmapClear(bitmap: usize, start: u32, end: u32): void {
  checkRange(bitmap, start, end);
  if (start >= end) return;
  const word = wordOf(bitmap, start);
  const last = wordOf(bitmap, end);
  if (word == last) return clearBits(word, maskFrom(start) & maskBelow(end));
  clearBits(word, maskFrom(start));
  memory.fill(word + 8, 0, last - word - 8);
  if (end & 63) clearBits(last, maskBelow(end));
}

@inline
function orWord(word: usize, distance: usize, mask: u64): void {
  store<u64>(word, load<u64>(word) | (load<u64>(word + distance) & mask));
}

@inline
function andNotWord(word: usize, distance: usize, mask: u64): void {
  store<u64>(word, load<u64>(word) & ~(load<u64>(word + distance) & mask));
}

@inline
function orVector(word: usize, distance: usize): void {
  v128.store(word, v128.or(v128.load(word), v128.load(word + distance)));
}

@inline
function andNotVector(word: usize, distance: usize): void {
  v128.store(word, v128.andnot(v128.load(word), v128.load(word + distance)));
}

function setBits(word: usize, mask: u64): void {
  store<u64>(word, load<u64>(word) | mask);
}

function clearBits(word: usize, mask: u64): void {
  store<u64>(word, load<u64>(word) & ~mask);
}
