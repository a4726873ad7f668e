import type { GuestSaved } from './state.js';

/** Words of configuration space; those of the MSI-X table are counted on behind them. */
const firstTableWord = 64;

const wordsPerEntry = 4;
const controlWord = 3;

/** Names a word of a function's configuration space among all the words of a guest: an integer of 32 bits. */
export const wordPlace = (guestDevfn: number, word: number): number => (guestDevfn << 16) | word;

/** The same of its MSI-X table, 0 to 8191. */
export const tableWordPlace = (guestDevfn: number, word: number): number =>
  wordPlace(guestDevfn, firstTableWord + word);

/**
 * Brings a saved state to where its guest was after this word had changed.
 *
 * @param value 32 bits of either sign
 */
export function applyWord({ functions }: GuestSaved, place: number, value: number): void {
  const guest = functions.find(({ request }) => request.guestDevfn === place >>> 16)?.guest;
  const word = place & 0xffff;
  if (guest === undefined) return;
  if (word < firstTableWord) {
    guest.shadow[word] = value;
    return;
  }
  const index = word - firstTableWord;
  const { words, changed } = guest.msix ?? { words: new Uint32Array(), changed: new Uint8Array() };
  const isMessage = index % wordsPerEntry !== controlWord;
  // As a MessageTable marks an entry whose message has changed.
  if (isMessage && words[index] !== value >>> 0) changed[Math.trunc(index / wordsPerEntry)] = 1;
  words[index] = value;
}
