// Which way the positions of set bits are found, and when that is thought over. A wrong way costs time only. Deciding
// for each 64 bytes would cost more than it saves: the branch is predicted wrong too often.

import { count64, loadState, storeState } from './bitmap-words';

/** Next to nothing, or heaps far apart: look for the next 128 bytes that hold something. */
export const WAY_SKIP: u32 = 0;
/** About one bit in 128 bytes: two words of them without asking whether there are two. */
export const WAY_PAIR: u32 = 1;
/** About one in 64 bytes: two words of those. */
export const WAY_CLOSE: u32 = 2;
/** About one bit in a word: two of each word. */
export const WAY_TWO: u32 = 3;
/** Several bits in each word: eight of each word. */
export const WAY_EIGHT: u32 = 4;
/** Heaps with room between them: words by the table, empty ones passed over. */
export const WAY_HEAPS: u32 = 5;
/** Many bits everywhere: words by the table, plain stores for full ones. */
export const WAY_ROWS: u32 = 6;

/** A way is thought over after so many spans, or when a span gives four times more or less than the first. */
const INTERVAL: u32 = 8;
/** What is looked at for it. */
const SAMPLE_BYTES: usize = 1024;
/** Bytes of positions of a span with which skipping begins: 20 of 65,536 pages. */
const SKIP_BELOW: usize = 80;

const WAY: usize = 8;
const KEPT: usize = 12;
const USUAL: usize = 16;

export function isSkipping(workspace: usize): bool {
  return loadState(workspace, WAY) == WAY_SKIP;
}

export function stopSkipping(workspace: usize): void {
  storeState(workspace, WAY, WAY_PAIR);
  storeState(workspace, KEPT, 0);
}

/** For the span from `source` to `end`. */
export function nextWay(workspace: usize, source: usize, end: usize): u32 {
  const kept = loadState(workspace, KEPT);
  if (kept != 0) {
    storeState(workspace, KEPT, kept - 1);
    return loadState(workspace, WAY);
  }
  const chosen = chooseWay(source, source + min<usize>(SAMPLE_BYTES, (end - source) & ~63));
  storeState(workspace, WAY, chosen);
  storeState(workspace, KEPT, INTERVAL);
  storeState(workspace, USUAL, 0);
  return chosen;
}

/** What came of a whole span: `bytes` of positions. */
export function learn(workspace: usize, bytes: usize): void {
  const usual = <usize>loadState(workspace, USUAL);
  if (bytes < SKIP_BELOW) storeState(workspace, WAY, WAY_SKIP);
  else if (usual == 0) storeState(workspace, USUAL, <u32>bytes);
  else if (bytes > usual << 2 || bytes << 2 < usual) storeState(workspace, KEPT, 0);
}

function chooseWay(source: usize, end: usize): u32 {
  let pages: u32 = 0;
  let words: u32 = 0;
  const all = <u32>((end - source) >> 3);
  for (; source < end; source += 64) {
    pages += <u32>count64(source);
    words += nonzeroWords(source);
  }
  if (pages > 16 && pages > words * 8) return words * 2 < all ? WAY_HEAPS : WAY_ROWS;
  if (pages * 10 < all) return WAY_PAIR;
  if (pages * 3 < all) return WAY_CLOSE;
  if (pages < words * 3) return WAY_TWO;
  return pages > all * 16 ? WAY_ROWS : WAY_EIGHT;
}

/** Of the eight in 64 bytes. */
@inline
function nonzeroWords(source: usize): u32 {
  return (
    u32(load<u64>(source) != 0) + u32(load<u64>(source, 8) != 0) +
    (u32(load<u64>(source, 16) != 0) + u32(load<u64>(source, 24) != 0)) +
    (u32(load<u64>(source, 32) != 0) + u32(load<u64>(source, 40) != 0) +
      (u32(load<u64>(source, 48) != 0) + u32(load<u64>(source, 56) != 0)))
  );
}
