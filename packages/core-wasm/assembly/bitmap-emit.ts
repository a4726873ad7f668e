// The positions of a span's set bits, as u32 in ascending order, each way in a loop of its own: in one function their
// variables would not fit the registers. All may write up to 16 entries past what they return. Why there are so many
// ways: bitmap-way.ts.

import {
  BLOCK_BYTES,
  ROWS,
  any128,
  loadState,
  nonzeroWords128,
  nonzeroWords64,
  outputLimit,
  storeState,
} from './bitmap-words';
import { WAY_CLOSE, WAY_EIGHT, WAY_HEAPS, WAY_PAIR, WAY_TWO } from './bitmap-way';

const REACHED: usize = 20;

/** Where the last `emitSpan` stopped: its end, or the block before which the output was full. */
export function reached(workspace: usize): usize {
  return <usize>loadState(workspace, REACHED);
}

/** Whole blocks. Returns the first entry not used. */
export function emitSpan(way: u32, workspace: usize, source: usize, end: usize, page: u32, entry: usize): usize {
  if (way == WAY_PAIR) return emitPair(workspace, source, end, page, entry);
  if (way == WAY_CLOSE) return emitClose(workspace, source, end, page, entry);
  if (way == WAY_TWO) return emitTwo(workspace, source, end, page, entry);
  if (way == WAY_EIGHT) return emitEight(workspace, source, end, page, entry);
  if (way == WAY_HEAPS) return emitHeaps(workspace, source, end, page, entry);
  return emitRows(workspace, source, end, page, entry);
}

/** The first block that is not empty, or the end. */
export function skipEmpty(source: usize, end: usize): usize {
  for (; source < end; source += 2 * BLOCK_BYTES) {
    if (any128(source)) return source;
    if (source + BLOCK_BYTES == end) return end;
    if (any128(source + BLOCK_BYTES)) return source + BLOCK_BYTES;
  }
  return end;
}

/** One block, as many words as there are. */
export function emitBlock(workspace: usize, source: usize, page: u32, entry: usize): usize {
  return emitWords(workspace + ROWS, source, page, nonzeroWords128(source), entry);
}

function emitPair(workspace: usize, source: usize, end: usize, page: u32, entry: usize): usize {
  const limit = outputLimit(workspace);
  for (; source < end; source += 128, page += 1024) {
    if (entry > limit) break;
    const words = nonzeroWords128(source);
    const second = words & (words - 1);
    entry = emitLowest(source, page, words, entry);
    entry = emitLowest(source, page, second, entry);
    for (let rest = second & (second - 1); rest != 0; rest &= rest - 1) entry = emitLowest(source, page, rest, entry);
  }
  storeState(workspace, REACHED, <u32>source);
  return entry;
}

function emitClose(workspace: usize, source: usize, end: usize, page: u32, entry: usize): usize {
  const limit = outputLimit(workspace);
  for (; source < end; source += 64, page += 512) {
    if (entry > limit) break;
    const words = nonzeroWords64(source);
    const second = words & (words - 1);
    entry = emitLowest(source, page, words, entry);
    entry = emitLowest(source, page, second, entry);
    for (let rest = second & (second - 1); rest != 0; rest &= rest - 1) entry = emitLowest(source, page, rest, entry);
  }
  storeState(workspace, REACHED, <u32>source);
  return entry;
}

/**
 * The 32-bit word that is the lowest of `words`, two bits of it without a branch. When there is no word, what is read
 * counts as empty: no entry is kept. No call in here: in a loop it would cost the loop its registers.
 */
@inline
function emitLowest(source: usize, page: u32, words: u32, entry: usize): usize {
  const index = ctz(words) & 31;
  const word = load<u32>(source + (index << 2)) & (0 - u32(words != 0));
  const second = word & (word - 1);
  const base = page + (index << 5);
  store<u32>(entry, base + ctz(word));
  store<u32>(entry, base + ctz(second), 4);
  for (let rest = second & (second - 1), more = entry + 8; rest != 0; more += 4) {
    store<u32>(more, base + ctz(rest));
    rest &= rest - 1;
  }
  return entry + (popcnt(word) << 2);
}

/** Any number of `words`, heaps among them. */
function emitWords(rows: usize, source: usize, page: u32, words: u32, entry: usize): usize {
  for (; words != 0; words &= words - 1) {
    const index = ctz(words);
    const word = load<u32>(source + (index << 2));
    const second = word & (word - 1);
    const base = page + (index << 5);
    store<u32>(entry, base + ctz(word));
    store<u32>(entry, base + ctz(second), 4);
    if ((second & (second - 1)) != 0) emitHalfByRows(rows, word, base, entry);
    entry += popcnt(word) << 2;
  }
  return entry;
}

/** A word of 32 bits, written from `entry`. */
function emitHalfByRows(rows: usize, word: u32, page: u32, entry: usize): void {
  emitRow(rows + ((word << 5) & 0x1fe0), page, entry);
  entry += popcnt(word & 0xff) << 2;
  emitRow(rows + ((word >> 3) & 0x1fe0), page + 8, entry);
  entry += popcnt(word & 0xff00) << 2;
  emitRow(rows + ((word >> 11) & 0x1fe0), page + 16, entry);
  entry += popcnt(word & 0xff_0000) << 2;
  emitRow(rows + ((word >> 19) & 0x1fe0), page + 24, entry);
}

/** Eight entries of the table, of which the caller keeps as many as are true. */
@inline
function emitRow(row: usize, page: u32, entry: usize): void {
  if (ASC_FEATURE_SIMD) {
    const base = i32x4.splat(page);
    v128.store(entry, i32x4.add(v128.load(row), base));
    v128.store(entry, i32x4.add(v128.load(row, 16), base), 16);
  } else {
    // Two entries in one addition: neither half can carry, both are page numbers.
    const base = <u64>page | (<u64>page << 32);
    store<u64>(entry, load<u64>(row) + base);
    store<u64>(entry, load<u64>(row, 8) + base, 8);
    store<u64>(entry, load<u64>(row, 16) + base, 16);
    store<u64>(entry, load<u64>(row, 24) + base, 24);
  }
}

function emitTwo(workspace: usize, source: usize, end: usize, page: u32, entry: usize): usize {
  const limit = outputLimit(workspace);
  while (source < end) {
    if (entry > limit) break;
    for (const block = source + 128; source < block; source += 8, page += 64) {
      const word = load<u64>(source);
      const second = word & (word - 1);
      let rest = second & (second - 1);
      store<u32>(entry, page + <u32>ctz(word));
      store<u32>(entry, page + <u32>ctz(second), 4);
      for (let more = entry + 8; rest != 0; more += 4) {
        store<u32>(more, page + <u32>ctz(rest));
        rest &= rest - 1;
      }
      entry += <usize>popcnt(word) << 2;
    }
  }
  storeState(workspace, REACHED, <u32>source);
  return entry;
}

function emitEight(workspace: usize, source: usize, end: usize, page: u32, entry: usize): usize {
  const limit = outputLimit(workspace);
  while (source < end) {
    if (entry > limit) break;
    for (const block = source + 128; source < block; source += 8, page += 64) {
      const word = load<u64>(source);
      const rest = emitEightOf(word, page, entry);
      for (let left = rest, more = entry + 32; left != 0; more += 4) {
        store<u32>(more, page + <u32>ctz(left));
        left &= left - 1;
      }
      entry += <usize>popcnt(word) << 2;
    }
  }
  storeState(workspace, REACHED, <u32>source);
  return entry;
}

/** Eight entries, true or not; returns the bits behind the eighth. */
@inline
function emitEightOf(word: u64, page: u32, entry: usize): u64 {
  const b = word & (word - 1);
  const c = b & (b - 1);
  const d = c & (c - 1);
  store<u32>(entry, page + <u32>ctz(word));
  store<u32>(entry, page + <u32>ctz(b), 4);
  store<u32>(entry, page + <u32>ctz(c), 8);
  store<u32>(entry, page + <u32>ctz(d), 12);
  const e = d & (d - 1);
  const f = e & (e - 1);
  const g = f & (f - 1);
  const h = g & (g - 1);
  store<u32>(entry, page + <u32>ctz(e), 16);
  store<u32>(entry, page + <u32>ctz(f), 20);
  store<u32>(entry, page + <u32>ctz(g), 24);
  store<u32>(entry, page + <u32>ctz(h), 28);
  return h & (h - 1);
}

function emitHeaps(workspace: usize, source: usize, end: usize, page: u32, entry: usize): usize {
  const limit = outputLimit(workspace);
  for (; source < end; source += 128, page += 1024) {
    if (entry > limit) break;
    const halves = nonzeroWords128(source);
    for (let words = (halves | (halves >> 1)) & 0x5555_5555; words != 0; words &= words - 1) {
      const index = ctz(words);
      const word = load<u64>(source + (index << 2));
      emitWordByRows(workspace + ROWS, word, page + (index << 5), entry);
      entry += <usize>popcnt(word) << 2;
    }
  }
  storeState(workspace, REACHED, <u32>source);
  return entry;
}

function emitRows(workspace: usize, source: usize, end: usize, page: u32, entry: usize): usize {
  const limit = outputLimit(workspace);
  while (source < end) {
    if (entry > limit) break;
    for (const block = source + 128; source < block; source += 8, page += 64) {
      const word = load<u64>(source);
      if (word == ~(<u64>0)) {
        emitFullWord(page, entry);
        entry += 256;
      } else if (word != 0) {
        emitWordByRows(workspace + ROWS, word, page, entry);
        entry += <usize>popcnt(word) << 2;
      }
    }
  }
  storeState(workspace, REACHED, <u32>source);
  return entry;
}

@inline
function emitFullWord(page: u32, entry: usize): void {
  if (ASC_FEATURE_SIMD) {
    const a = i32x4.add(i32x4.splat(page), i32x4(0, 1, 2, 3));
    const b = i32x4.add(a, i32x4.splat(4));
    const eight = i32x4.splat(8);
    emitFullBytes(a, b, eight, entry);
  } else {
    let pages = <u64>page | (<u64>(page + 1) << 32);
    for (let index = 0; index < 32; index++) {
      store<u64>(entry + (index << 3), pages);
      pages += 0x0000_0002_0000_0002;
    }
  }
}

/** 64 ascending entries: one addition and one store for four of them. */
@inline
function emitFullBytes(a: v128, b: v128, eight: v128, entry: usize): void {
  v128.store(entry, a);
  v128.store(entry, b, 16);
  a = i32x4.add(a, eight);
  b = i32x4.add(b, eight);
  v128.store(entry, a, 32);
  v128.store(entry, b, 48);
  a = i32x4.add(a, eight);
  b = i32x4.add(b, eight);
  v128.store(entry, a, 64);
  v128.store(entry, b, 80);
  a = i32x4.add(a, eight);
  b = i32x4.add(b, eight);
  v128.store(entry, a, 96);
  v128.store(entry, b, 112);
  a = i32x4.add(a, eight);
  b = i32x4.add(b, eight);
  v128.store(entry, a, 128);
  v128.store(entry, b, 144);
  a = i32x4.add(a, eight);
  b = i32x4.add(b, eight);
  v128.store(entry, a, 160);
  v128.store(entry, b, 176);
  a = i32x4.add(a, eight);
  b = i32x4.add(b, eight);
  v128.store(entry, a, 192);
  v128.store(entry, b, 208);
  a = i32x4.add(a, eight);
  b = i32x4.add(b, eight);
  v128.store(entry, a, 224);
  v128.store(entry, b, 240);
}

/** Where each byte's entries go is known at once: the sums of the bytes' counts are one multiplication. */
@inline
function emitWordByRows(rows: usize, word: u64, page: u32, entry: usize): void {
  const pairs = word - ((word >> 1) & 0x5555_5555_5555_5555);
  const fours = (pairs & 0x3333_3333_3333_3333) + ((pairs >> 2) & 0x3333_3333_3333_3333);
  const sums = ((fours + (fours >> 4)) & 0x0f0f_0f0f_0f0f_0f0f) * 0x0404_0404_0404_0404;
  emitRow(rows + (<usize>((word << 5) & 0x1fe0)), page, entry);
  emitRow(rows + (<usize>((word >> 3) & 0x1fe0)), page + 8, entry + <usize>(sums & 0xff));
  emitRow(rows + (<usize>((word >> 11) & 0x1fe0)), page + 16, entry + <usize>((sums >> 8) & 0xff));
  emitRow(rows + (<usize>((word >> 19) & 0x1fe0)), page + 24, entry + <usize>((sums >> 16) & 0xff));
  emitRow(rows + (<usize>((word >> 27) & 0x1fe0)), page + 32, entry + <usize>((sums >> 24) & 0xff));
  emitRow(rows + (<usize>((word >> 35) & 0x1fe0)), page + 40, entry + <usize>((sums >> 32) & 0xff));
  emitRow(rows + (<usize>((word >> 43) & 0x1fe0)), page + 48, entry + <usize>((sums >> 40) & 0xff));
  emitRow(rows + (<usize>((word >> 51) & 0x1fe0)), page + 56, entry + <usize>((sums >> 48) & 0xff));
}

/** One word, one bit after the other: for what lies at the edges. */
export function emitWord(word: u64, page: u32, entry: usize): usize {
  while (word != 0) {
    store<u32>(entry, page + <u32>ctz(word));
    entry += 4;
    word &= word - 1;
  }
  return entry;
}
