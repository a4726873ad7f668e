// The page numbers of a range, as many as the output buffer holds.

import { emitBlock, emitSpan, emitWord, reached, skipEmpty } from './bitmap-emit';
import { isSkipping, learn, nextWay, stopSkipping } from './bitmap-way';
import {
  BLOCK_BYTES,
  OUTPUT,
  SPAN_BYTES,
  bitmapNextPage,
  checkRange,
  checkWorkspace,
  maskBelow,
  maskFrom,
  outputLimit,
  setNextPage,
  wordOf,
} from './bitmap-words';

/** Skipping ends when so many blocks of so many bytes hold something. */
export const CROWDED_BLOCKS: u32 = 14;
export const CROWDED_BYTES: usize = 4096;

/** Returns the number of pages written. */
export function bitmapExtract(workspace: usize, bitmap: usize, start: u32, end: u32): u32 {
  checkWorkspace(workspace);
  checkRange(bitmap, start, end);
  setNextPage(workspace, end);
  if (start >= end) return 0;
  const output = workspace + OUTPUT;
  let word = wordOf(bitmap, start);
  const last = wordOf(bitmap, end);
  let page = start & ~63;
  if (word == last) {
    return written(output, emitWord(load<u64>(word) & maskFrom(start) & maskBelow(end), page, output));
  }
  let entry = output;
  // A word that is whole belongs to a block: taken by itself it would leave an incomplete block at the end.
  if (start & 63) {
    entry = emitWord(load<u64>(word) & maskFrom(start), page, output);
    word += 8;
    page += 64;
  }
  entry = extractWords(workspace, word, last, page, entry);
  // Left in the middle: the bits of the last word are for another time.
  if (bitmapNextPage(workspace) != end) return written(output, entry);
  if (end & 63) entry = emitWord(load<u64>(last) & maskBelow(end), end & ~63, entry);
  return written(output, entry);
}

function extractWords(workspace: usize, word: usize, last: usize, page: u32, entry: usize): usize {
  const limit = outputLimit(workspace);
  const blocks = word + ((last - word) & ~(BLOCK_BYTES - 1));
  let hits: u32 = 0;
  let window = word;
  while (word < blocks && entry <= limit) {
    const from = word;
    if (isSkipping(workspace)) {
      word = skipEmpty(word, blocks);
      page += <u32>((word - from) << 3);
      if (word == blocks) break;
      entry = emitBlock(workspace, word, page, entry);
      word += BLOCK_BYTES;
      page += <u32>(BLOCK_BYTES << 3);
      hits = word - window > CROWDED_BYTES ? 1 : hits + 1;
      if (hits == 1) window = word;
      if (hits == CROWDED_BLOCKS) stopSkipping(workspace);
    } else {
      const end = min<usize>(word + SPAN_BYTES, blocks);
      const next = emitSpan(nextWay(workspace, word, end), workspace, word, end, page, entry);
      word = reached(workspace);
      page += <u32>((word - from) << 3);
      if (word - from == SPAN_BYTES) learn(workspace, next - entry);
      entry = next;
      hits = 0;
      window = word;
    }
  }
  if (entry > limit) {
    setNextPage(workspace, page);
    return entry;
  }
  for (; word < last; word += 8, page += 64) entry = emitWord(load<u64>(word), page, entry);
  return entry;
}

@inline
function written(output: usize, entry: usize): u32 {
  return <u32>((entry - output) >> 2);
}
