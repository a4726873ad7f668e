import { Core, MessageTable } from '@xenpt/core-wasm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { applyWord, tableWordPlace, wordPlace } from '../src/saved-words.js';
import type { GuestSaved } from '../src/state.js';

const devfn = 0xff;
const entryCount = 3;

function saved() {
  const guest = {
    shadow: new Uint32Array(64),
    msix: { words: new Uint32Array(entryCount * 4), changed: new Uint8Array(entryCount) },
  };
  const other = { shadow: new Uint32Array(64), msix: null };
  const functions = [
    { request: { guestDevfn: 8 }, guest: other },
    { request: { guestDevfn: devfn }, guest },
  ];
  return { guest, other, state: { functions } as unknown as GuestSaved };
}

it('keeps the table as a MessageTable has it, word by word, whatever is written', () => {
  const u32 = fc.oneof(fc.constantFrom(0, 1, 0xffff_ffff), fc.integer({ min: 0, max: 0xffff_ffff }));
  const write = fc.tuple(fc.nat(entryCount * 4 - 1), u32);
  fc.assert(
    fc.property(fc.array(write, { maxLength: 30 }), (writes) => {
      const table = new MessageTable(new Core(), entryCount);
      const { guest, state } = saved();
      for (let entry = 0; entry < entryCount; entry += 1) guest.msix.words[entry * 4 + 3] = 1;
      for (const [word, value] of writes) {
        table.write(word * 4, 4, value, 0);
        applyWord(state, tableWordPlace(devfn, word), table.read(word * 4, 4) | 0);
      }
      expect([...guest.msix.words]).toEqual(wordsOf(table));
      expect([...guest.msix.changed]).toEqual(
        Array.from({ length: entryCount }, (_, entry) => +table.isChanged(entry)),
      );
    }),
  );
});

const wordsOf = (table: MessageTable) => Array.from({ length: entryCount * 4 }, (_, word) => table.read(word * 4, 4));

it('changes the function that is named, and nothing where there is none', () => {
  const { guest, other, state } = saved();
  applyWord(state, wordPlace(8, 15), -1);
  applyWord(state, wordPlace(devfn, 63), 7);
  applyWord(state, wordPlace(0x10, 0), 9);
  applyWord(state, tableWordPlace(8, 0), 9);
  expect([other.shadow[15], guest.shadow[63]]).toEqual([0xffff_ffff, 7]);
  expect([...other.shadow, ...guest.shadow].filter((word) => word !== 0)).toHaveLength(2);
});
