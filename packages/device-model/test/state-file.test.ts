import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { afterEach, describe, expect, it } from 'vitest';
import { Changes } from '../src/changes.js';
import { wordPlace } from '../src/saved-words.js';
import { nothingYet, type ModelState } from '../src/state.js';
import { StateFile } from '../src/state-file.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-state-'));
  folders.push(folder);
  return join(folder, 'state');
}

const state = (serverId: number): ModelState => ({ ...nothingYet, serverId });

function foundAt(path: string): number | undefined {
  const file = new StateFile(path);
  file.close();
  return file.found?.serverId;
}

function filled(path: string, count: number): void {
  const file = new StateFile(path);
  for (let serverId = 1; serverId <= count; serverId += 1) file.save(state(serverId));
  file.close();
}

it('finds what was saved last, also by a process that found something itself', () => {
  const path = place();
  expect(foundAt(path)).toBeUndefined();
  for (const count of [1, 2, 3]) {
    filled(path, count);
    expect(foundAt(path)).toBe(count);
  }
  for (const letter of ['a', 'b']) expect(statSync(`${path}.${letter}`).mode & 0o777).toBe(0o600);
});

it('finds the one before, wherever the last write was cut short', () => {
  const path = place();
  filled(path, 2);
  const before = readFileSync(`${path}.a`);
  filled(path, 1);
  const last = readFileSync(`${path}.b`);
  expect(foundAt(path)).toBe(1);
  filled(path, 2);
  const newest = ['a', 'b'].find((letter) => readFileSync(`${path}.${letter}`).readBigUInt64LE(0) === 5n) ?? '';
  const whole = readFileSync(`${path}.${newest}`);
  const old = newest === 'a' ? before : last;
  for (let length = 0; length < whole.length; length += 1) {
    // The new bytes, and behind them what stood there.
    const torn = Buffer.concat([whole.subarray(0, length), old.subarray(length)]);
    if (torn.equals(whole) || torn.equals(old)) continue;
    writeFileSync(`${path}.${newest}`, torn);
    expect(foundAt(path), `${length} bytes`).toBe(1);
  }
});

it('finds the words that were added to the last save, none of those before, none of a model that has ended', () => {
  const path = place();
  const guest = { shadow: new Uint32Array(64), msix: null };
  const withCard = { ...state(1), functions: [{ request: { guestDevfn: 8 }, guest }] } as unknown as ModelState;
  const foundWords = () => {
    const file = new StateFile(path);
    file.close();
    return file.found?.functions[0]?.guest.shadow.slice(0, 3);
  };
  const changes = new Changes();
  changes.noteWord(wordPlace(8, 1), 5);
  const file = new StateFile(path);
  file.save(withCard);
  expect(file.saveWords(changes)).toBe(true);
  expect(foundWords()).toEqual(Uint32Array.of(0, 5, 0));
  file.save(withCard);
  expect(foundWords()).toEqual(Uint32Array.of(0, 0, 0));
  expect(file.saveWords(changes)).toBe(true);
  file.close();
  for (const letter of ['a', 'b']) rmSync(`${path}.${letter}`);
  const next = new StateFile(path);
  next.save(withCard);
  next.close();
  expect(foundWords()).toEqual(Uint32Array.of(0, 0, 0));
});

describe('is refused, with the reason, and left as it is,', () => {
  const written = (path: string, body: Buffer) => {
    filled(path, 2);
    const bytes = Buffer.alloc(16 + body.length + 8);
    bytes.writeBigUInt64LE(9n, 0);
    bytes.writeBigUInt64LE(BigInt(body.length), 8);
    body.copy(bytes, 16);
    bytes.writeBigUInt64LE(9n, 16 + body.length);
    writeFileSync(`${path}.b`, bytes);
  };
  it.each([
    ['when neither file is whole', (path: string) => ['a', 'b'].map((one) => writeFileSync(`${path}.${one}`, 'x'))],
    ['when it is of another version', (path: string) => written(path, serialize({ formatVersion: 0, state: {} }))],
    ['when it holds something else', (path: string) => written(path, serialize(null))],
    ['when the newest holds nothing that V8 knows', (path: string) => written(path, Buffer.from('nonsense'))],
  ])('%s', (_, spoil) => {
    const path = place();
    spoil(path);
    const before = ['a', 'b'].map((one) => readFileSync(`${path}.${one}`));
    expect(() => foundAt(path)).toThrow(
      expect.objectContaining({
        code: 'DEVICE_MODEL_STATE_UNREADABLE',
        message: expect.stringMatching(/destroy the guest/) as string,
      }) as Error,
    );
    expect(['a', 'b'].map((one) => readFileSync(`${path}.${one}`))).toEqual(before);
  });
});

it('is none when the very first write was cut short: nothing was taken by then', () => {
  const path = place();
  filled(path, 1);
  writeFileSync(`${path}.b`, readFileSync(`${path}.b`).subarray(0, 30));
  expect(foundAt(path)).toBeUndefined();
  filled(path, 3);
  expect(foundAt(path)).toBe(3);
});

it('is gone with the model', () => {
  const path = place();
  const file = new StateFile(path);
  file.save(state(1));
  file.remove();
  file.close();
  expect(['a', 'b', 'words'].filter((end) => existsSync(`${path}.${end}`))).toEqual([]);
  expect(foundAt(path)).toBeUndefined();
});

it('does not follow a link', () => {
  const path = place();
  symlinkSync('/dev/null', `${path}.a`);
  expect(() => new StateFile(path)).toThrow(/ELOOP/);
});
