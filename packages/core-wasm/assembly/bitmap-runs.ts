// Runs of set bits as (start, length). Where a bit differs from the one before it a run starts or ends, so the runs
// are the positions of set bits in `word ^ (word << 1 | bit before)`, two by two.

import { emitBlock, emitSpan, emitWord, reached, skipEmpty } from './bitmap-emit';
import { CROWDED_BLOCKS, CROWDED_BYTES } from './bitmap-extract';
import { isSkipping, learn, nextWay, stopSkipping } from './bitmap-way';
import {
  BLOCK_BYTES,
  EDGES,
  OUTPUT,
  SPAN_BYTES,
  anyZero128,
  bitmapNextPage,
  checkRange,
  checkWorkspace,
  maskBelow,
  maskFrom,
  outputLimit,
  setNextPage,
  wordOf,
} from './bitmap-words';

/** Ends become lengths while they are in the first-level cache. */
const LENGTHS_BYTES: usize = 8192;

/** Returns the number of runs written; none is cut at the end of the output. */
export function bitmapRuns(workspace: usize, bitmap: usize, start: u32, end: u32): u32 {
  checkWorkspace(workspace);
  checkRange(bitmap, start, end);
  setNextPage(workspace, end);
  if (start >= end) return 0;
  const output = workspace + OUTPUT;
  const word = wordOf(bitmap, start);
  const last = wordOf(bitmap, end);
  const bits = load<u64>(word) & maskFrom(start);
  const page = start & ~63;
  if (word == last) {
    const inside = bits & maskBelow(end);
    return toRuns(output, output, emitWord(inside ^ (inside << 1), page, output));
  }
  let entry = emitWord(bits ^ (bits << 1), page, output);
  entry = runsInWords(workspace, word + 8, last, page + 64, entry);
  const fixed = entry - ((entry - output) & (LENGTHS_BYTES - 1));
  if (bitmapNextPage(workspace) != end) return toRuns(output, fixed, entry);
  // Beyond the end all is clean, so an open run ends there at the latest.
  const ending = (end & 63) != 0 ? load<u64>(last) & maskBelow(end) : 0;
  return toRuns(output, fixed, emitWord(edges(ending, last), end & ~63, entry));
}

function runsInWords(workspace: usize, word: usize, last: usize, page: u32, entry: usize): usize {
  const limit = outputLimit(workspace);
  const blocks = word + ((last - word) & ~(BLOCK_BYTES - 1));
  let fixed = workspace + OUTPUT;
  let hits: u32 = 0;
  let window = word;
  while (word < blocks && entry <= limit) {
    const from = word;
    if (isSkipping(workspace)) {
      word = skipEven(word, blocks);
      page += <u32>((word - from) << 3);
      if (word == blocks) break;
      storeEdges(word, word + BLOCK_BYTES, workspace + EDGES);
      entry = emitBlock(workspace, workspace + EDGES, page, entry);
      word += BLOCK_BYTES;
      page += <u32>(BLOCK_BYTES << 3);
      hits = word - window > CROWDED_BYTES ? 1 : hits + 1;
      if (hits == 1) window = word;
      if (hits == CROWDED_BLOCKS) stopSkipping(workspace);
    } else {
      const end = min<usize>(word + SPAN_BYTES, blocks);
      const source = workspace + EDGES;
      storeEdges(word, end, source);
      const sourceEnd = source + (end - word);
      const next = emitSpan(nextWay(workspace, source, sourceEnd), workspace, source, sourceEnd, page, entry);
      word += reached(workspace) - source;
      page += <u32>((word - from) << 3);
      if (word - from == SPAN_BYTES) learn(workspace, next - entry);
      entry = next;
      hits = 0;
      window = word;
    }
    fixed = toLengthsInWindows(fixed, entry);
  }
  if (entry > limit) return stopAt(workspace, word, page, entry);
  for (; word < last; word += 8, page += 64) entry = emitWord(edges(load<u64>(word), word), page, entry);
  toLengthsInWindows(fixed, entry);
  return entry;
}

/** A run that is still open is left out, and the next call starts with it. */
function stopAt(workspace: usize, word: usize, page: u32, entry: usize): usize {
  const open = load<u64>(word - 8) >> 63 != 0;
  if (open) entry -= 4;
  setNextPage(workspace, open ? load<u32>(entry) : page);
  return entry;
}

/** Where a bit of the word at `address` differs from the one before it; the word before belongs to the range. */
@inline
function edges(bits: u64, address: usize): u64 {
  return bits ^ ((bits << 1) | (load<u64>(address - 8) >> 63));
}

function storeEdges(word: usize, end: usize, target: usize): void {
  for (; word < end; word += 32, target += 32) {
    if (ASC_FEATURE_SIMD) {
      v128.store(target, edgesOf(word));
      v128.store(target, edgesOf(word + 16), 16);
    } else {
      store<u64>(target, edges(load<u64>(word), word));
      store<u64>(target, edges(load<u64>(word, 8), word + 8), 8);
      store<u64>(target, edges(load<u64>(word, 16), word + 16), 16);
      store<u64>(target, edges(load<u64>(word, 24), word + 24), 24);
    }
  }
}

@inline
function edgesOf(word: usize): v128 {
  const bits = v128.load(word);
  return v128.xor(bits, v128.or(i64x2.shl(bits, 1), i64x2.shr_u(v128.load(word - 8), 63)));
}

/** The first block in which a bit is not as the one before it, or the end: clean after clean, dirty after dirty. */
function skipEven(word: usize, end: usize): usize {
  return load<u64>(word - 8) >> 63 == 0 ? skipEmpty(word, end) : skipFull(word, end);
}

function skipFull(word: usize, end: usize): usize {
  for (; word < end; word += BLOCK_BYTES) {
    if (anyZero128(word)) return word;
  }
  return end;
}

/** Whole windows; returns where the first one begins that is not full. */
@inline
function toLengthsInWindows(fixed: usize, entry: usize): usize {
  for (; entry - fixed >= LENGTHS_BYTES; fixed += LENGTHS_BYTES) toLengths(fixed, fixed + LENGTHS_BYTES);
  return fixed;
}

function toRuns(output: usize, fixed: usize, entry: usize): u32 {
  toLengths(fixed, entry);
  return <u32>((entry - output) >> 3);
}

/** From (start, end) to (start, length), on 16-byte boundaries: the start is the low half of 64 bits. */
function toLengths(from: usize, end: usize): void {
  if (ASC_FEATURE_SIMD) {
    for (; end - from >= 32; from += 32) {
      const a = v128.load(from);
      const b = v128.load(from, 16);
      v128.store(from, i64x2.sub(a, i64x2.shl(a, 32)));
      v128.store(from, i64x2.sub(b, i64x2.shl(b, 32)), 16);
    }
  }
  for (; from < end; from += 8) {
    const run = load<u64>(from);
    store<u64>(from, run - (run << 32));
  }
}
