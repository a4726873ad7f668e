import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { Changes } from '../src/changes.js';
import { wordPlace } from '../src/saved-words.js';
import type { GuestSaved } from '../src/state.js';
import { WordJournal } from '../src/word-journal.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const devfn = 0x28;
const recordBytes = 16;
const capacity = 4096;

function somewhere(): string {
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-words-'));
  folders.push(folder);
  return join(folder, 'words');
}

/** One word for each value, from word 0 on. */
function changesOf(values: readonly number[], firstWord = 0): Changes {
  const changes = new Changes();
  for (const [index, value] of values.entries()) changes.noteWord(wordPlace(devfn, firstWord + index), value);
  return changes;
}

function written(path: string, stateNumber: bigint, ...requests: readonly (readonly number[])[]): void {
  const journal = new WordJournal(path, false);
  journal.begin(stateNumber);
  for (const [index, values] of requests.entries()) journal.append(changesOf(values, index * 8));
  journal.close();
}

/** Words of a function that had none set. */
function replayed(path: string, stateNumber: bigint): number[] {
  const shadow = new Uint32Array(64);
  const state = { functions: [{ request: { guestDevfn: devfn }, guest: { shadow } }] } as unknown as GuestSaved;
  const journal = new WordJournal(path, false);
  journal.replay(stateNumber, state);
  journal.close();
  return [...shadow];
}

const shadowOf = (words: Record<number, number>) => Array.from({ length: 64 }, (_, word) => words[word] ?? 0);

it('brings back every word, of whatever sign, to the state that it was added to and to no other', () => {
  const path = somewhere();
  const number = 0x1_ffff_fff0n;
  written(path, number, [1, 0xffff_ffff], [0x8000_0000]);
  expect(replayed(path, number)).toEqual(shadowOf({ 0: 1, 1: 0xffff_ffff, 8: 0x8000_0000 }));
  expect(replayed(path, number + 1n)).toEqual(shadowOf({}));
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('stops where a process was killed in the middle of a record', () => {
  const path = somewhere();
  written(path, 6n, [11, 12, 13, 14]);
  const earlier = readFileSync(path);
  written(path, 7n, [21, 22, 23]);
  const whole = readFileSync(path);
  for (let stored = 0; stored <= 3 * recordBytes; stored += 8) {
    // What is stored by then, and behind it what an earlier state has left.
    writeFileSync(path, Buffer.concat([whole.subarray(0, stored), earlier.subarray(stored)]));
    const records = Math.floor(stored / recordBytes);
    expect(replayed(path, 7n), `${stored} bytes`).toEqual(shadowOf([21, 22, 23].slice(0, records)));
  }
});

it('takes all words of a request or none, and has room again for the next state', () => {
  const path = somewhere();
  const journal = new WordJournal(path, true);
  expect(journal.append(changesOf([1]))).toBe(false);
  journal.begin(1n);
  for (let index = 0; index < capacity - 2; index += 1) expect(journal.append(changesOf([index]))).toBe(true);
  expect(journal.append(changesOf([1, 2, 3]))).toBe(false);
  expect(journal.append(changesOf([5, 6]))).toBe(true);
  expect(journal.append(changesOf([7]))).toBe(false);
  expect(replayed(path, 1n)).toEqual(shadowOf({ 0: 5, 1: 6 }));
  journal.begin(2n);
  expect(journal.append(changesOf([8]))).toBe(true);
  expect(replayed(path, 2n)).toEqual(shadowOf({ 0: 8 }));
  journal.close();
});

it('takes nothing over from a model that has ended', () => {
  const path = somewhere();
  written(path, 1n, [1, 2]);
  new WordJournal(path, true).close();
  expect(replayed(path, 1n)).toEqual(shadowOf({}));
});

it('has its room whatever is there before, follows no link, and goes with the model', () => {
  const path = somewhere();
  writeFileSync(path, 'short');
  const journal = new WordJournal(path, false);
  expect(statSync(path).size).toBe(capacity * recordBytes);
  journal.remove();
  journal.close();
  symlinkSync('/dev/null', path);
  expect(() => new WordJournal(path, true)).toThrow(/ELOOP/);
});
