import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addToGuestConfig, devicesOfGuestConfig, removeFromGuestConfig } from '../../src/xen/guest-config-file.js';
import { temporaryFolder } from './folders.js';

/** What an operation that has to fail throws. */
function failure(operation: () => unknown): {
  readonly code: string;
  readonly message: string;
  readonly next?: string;
} {
  try {
    operation();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('it did not fail');
}

const web = 'name="web" # the wéb server\npci=[\n  "03:00.0@5", # uplink\n]\nmemory=512\n';

function file(content: string | Uint8Array = web) {
  const folder = temporaryFolder();
  const path = join(folder, 'web.cfg');
  writeFileSync(path, content);
  const names = () => readdirSync(folder);
  return { folder, path, names, read: () => readFileSync(path, 'utf8'), bytes: () => readFileSync(path) };
}

describe('adding', () => {
  test('at the end of the list; removed again, no byte differs', () => {
    const { path, read, names } = file();
    const change = addToGuestConfig(path, ['04:00.0@a,permissive=1', 'pci_0000_05_00_0']);
    expect(change).toMatchObject({ path, dryRun: false, devices: ['0000:04:00.0@0a,permissive=1', '0000:05:00.0'] });
    expect(read()).toBe(
      web.replace('# uplink\n', '# uplink\n  "0000:04:00.0@0a,permissive=1",\n  "0000:05:00.0",\n'),
    );
    expect(removeFromGuestConfig(path, ['04:00.0', '05:00.0']).devices).toEqual(change.devices);
    expect([read(), names()]).toEqual([web, ['web.cfg']]);
  });

  test('a dry run has the same difference and changes nothing', () => {
    const { path, read } = file();
    const { mtimeMs, ino } = statSync(path);
    const { diff, dryRun } = addToGuestConfig(path, ['04:00.0'], { dryRun: true });
    expect([dryRun, read(), statSync(path).mtimeMs, statSync(path).ino]).toEqual([true, web, mtimeMs, ino]);
    expect(diff.split('\n').filter((line) => /^[+-]/.test(line))).toEqual([
      `--- ${path}`,
      `+++ ${path}`,
      '+  "0000:04:00.0",',
    ]);
    expect(diff).toContain('wéb');
    expect(addToGuestConfig(path, ['04:00.0']).diff).toBe(diff);
  });

  test('what the guest has already is refused, a function of a whole card too', () => {
    const { path, read } = file();
    const refused = (spec: string) => failure(() => addToGuestConfig(path, [spec]));
    expect(refused('0000:03:00.0')).toMatchObject({
      code: 'XENPT_GUEST_CONFIG_HAS_DEVICE',
      message: `${path} has 0000:03:00.0 already: line 3 is "03:00.0@5"`,
      next: `To change it, first: xenpt config remove ${path} 0000:03:00.0`,
    });
    expect(refused('03:00.*@7').code).toBe('XENPT_GUEST_CONFIG_HAS_DEVICE');
    expect(refused('04:00.0@5')).toMatchObject({ code: 'XENPT_SLOT_TAKEN' });
    expect(refused('04:00.*')).toMatchObject({
      code: 'XENPT_SPEC_SYNTAX',
      next: 'Add the slot, in hexadecimal: 0000:04:00.*@05. Or name each function.',
    });
    expect(refused('04:20.0').code).toBe('PCI_GRAMMAR');
    expect(refused('10000:04:00.0').code).toBe('PCI_SEGMENT_NOT_ON_XEN');
    // Of several none is written when one is refused.
    expect(failure(() => addToGuestConfig(path, ['04:00.0', '04:00.0'])).code).toBe('XENPT_GUEST_CONFIG_HAS_DEVICE');
    expect(read()).toBe(web);
    addToGuestConfig(path, ['name=card']);
    expect(refused('name=card').code).toBe('XENPT_GUEST_CONFIG_HAS_DEVICE');
    expect(removeFromGuestConfig(path, ['name=card']).devices).toEqual(['name=card']);
  });
});

describe('removing', () => {
  test('what is not there, and a function of what is there as a whole', () => {
    const { path, read } = file('pci=["04:00.*@6", "05:00.0"]');
    expect(failure(() => removeFromGuestConfig(path, ['03:00.0']))).toMatchObject({
      code: 'XENPT_GUEST_CONFIG_LACKS_DEVICE',
      message: `${path} does not have 0000:03:00.0, but 0000:04:00.*, 0000:05:00.0`,
    });
    expect(failure(() => removeFromGuestConfig(path, ['04:00.1']))).toMatchObject({
      code: 'XENPT_GUEST_CONFIG_LACKS_DEVICE',
      message: expect.stringContaining('but as part of "04:00.*@6" (line 1)') as string,
    });
    expect(removeFromGuestConfig(path, ['04:00.*']).devices).toEqual(['04:00.*@6']);
    expect(read()).toBe('pci=["05:00.0"]');
  });

  test('a whole card by its functions', () => {
    const { path, read } = file('pci=["04:00.0", "05:00.0", "04:00.1@6"]');
    expect(removeFromGuestConfig(path, ['04:00.*']).devices).toEqual(['04:00.0', '04:00.1@6']);
    expect(read()).toBe('pci=["05:00.0"]');
    expect(devicesOfGuestConfig(path)).toEqual(['0000:05:00.0']);
  });
});

describe('the file', () => {
  test.each([
    ['a text that does not end', 'a=1\nname="web', 'line 2, column 6'],
    ['an entry that is none', 'pci=["03:00.9"]', 'line 1, column 13'],
    ['a list that is none', 'pci="03:00.0"', 'line 1, column 5'],
  ])('%s: it is not touched, and the place is told', (_, text, place) => {
    const { path, read } = file(text);
    for (const change of [addToGuestConfig, removeFromGuestConfig]) {
      expect(failure(() => change(path, ['03:00.0']))).toMatchObject({
        code: 'XENPT_GUEST_CONFIG_MALFORMED',
        message: expect.stringContaining(place) as string,
      });
    }
    expect([read(), devicesOfGuestConfig(path)]).toEqual([text, []]);
  });

  test('keeps its mode and owner; a link to it stays a link', () => {
    const { path, folder, read } = file();
    chmodSync(path, 0o640);
    const { uid, gid } = statSync(path);
    mkdirSync(join(folder, 'auto'));
    const link = join(folder, 'auto', 'web.cfg');
    symlinkSync('../web.cfg', link);
    expect(addToGuestConfig(link, ['04:00.0']).path).toBe(path);
    const after = statSync(path);
    expect([after.mode & 0o7777, after.uid, after.gid]).toEqual([0o640, uid, gid]);
    expect([lstatSync(link).isSymbolicLink(), read().includes('0000:04:00.0')]).toEqual([true, true]);
    expect(readdirSync(join(folder, 'auto'))).toEqual(['web.cfg']);
  });

  test.runIf(process.getuid?.() === 0)("another user's stays that user's", async () => {
    const { chownSync } = await import('node:fs');
    const { path } = file();
    chownSync(path, 1234, 4321);
    addToGuestConfig(path, ['04:00.0']);
    expect([statSync(path).uid, statSync(path).gid]).toEqual([1234, 4321]);
  });

  test('bytes that are no UTF-8 come through', () => {
    const before = Buffer.from('# caf\xe9\nname="\xff"\n', 'latin1');
    const { path, bytes } = file(before);
    addToGuestConfig(path, ['04:00.0']);
    expect(bytes().toString('latin1')).toBe('# caf\xe9\nname="\xff"\npci = [ "0000:04:00.0" ]\n');
    removeFromGuestConfig(path, ['04:00.0']);
    expect(bytes().equals(before)).toBe(true);
  });

  test('none, a folder, one that is too long', () => {
    const { folder, path } = file(' '.repeat(1024 * 1024 + 1));
    for (const each of [join(folder, 'none.cfg'), folder, path, join(path, 'x')]) {
      expect(failure(() => addToGuestConfig(each, ['04:00.0'])).code).toBe('XENPT_NO_SUCH_FILE');
    }
  });

  test('a name beside it that somebody has goes untouched', () => {
    const { path, folder, names } = file();
    linkSync(path, join(folder, 'web.cfg.new'));
    addToGuestConfig(path, ['04:00.0']);
    expect(names()).toEqual(['web.cfg', 'web.cfg.new']);
    expect(readFileSync(join(folder, 'web.cfg.new'), 'utf8')).toBe(web);
  });
});
