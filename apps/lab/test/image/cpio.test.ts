import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { cpioDirectory, cpioFile, cpioLink, createCpio } from '../../src/image/cpio.js';

/** The names, modes and contents of an archive, read by the format's description and not by the writer's code. */
function readCpio(archive: Buffer) {
  const entries: { path: string; mode: number; content: string }[] = [];
  for (let offset = 0; offset < archive.length;) {
    expect(archive.toString('latin1', offset, offset + 6)).toBe('070701');
    const field = (index: number) =>
      parseInt(archive.toString('latin1', offset + 6 + index * 8, offset + 14 + index * 8), 16);
    const nameStart = offset + 110;
    const nameBytes = field(11);
    const contentStart = Math.ceil((nameStart + nameBytes) / 4) * 4;
    const path = archive.toString('utf8', nameStart, nameStart + nameBytes - 1);
    entries.push({ path, mode: field(1), content: archive.toString('utf8', contentStart, contentStart + field(6)) });
    offset = Math.ceil((contentStart + field(6)) / 4) * 4;
  }
  return entries;
}

describe('createCpio', () => {
  it('writes files, folders and links, parents first and once', () => {
    const archive = createCpio([
      cpioDirectory('dev'),
      cpioFile('bin/busybox', Buffer.from('abcde'), 0o755),
      cpioLink('bin/sh', 'busybox'),
      cpioFile('a/b/c', Buffer.from('')),
    ]);
    expect(readCpio(archive)).toEqual([
      { path: 'dev', mode: 0o40755, content: '' },
      { path: 'bin', mode: 0o40755, content: '' },
      { path: 'bin/busybox', mode: 0o100755, content: 'abcde' },
      { path: 'bin/sh', mode: 0o120777, content: 'busybox' },
      { path: 'a', mode: 0o40755, content: '' },
      { path: 'a/b', mode: 0o40755, content: '' },
      { path: 'a/b/c', mode: 0o100644, content: '' },
      { path: 'TRAILER!!!', mode: 0, content: '' },
    ]);
  });

  it('is what the cpio program reads, if there is one', () => {
    const archive = createCpio([cpioFile('lab/script.sh', Buffer.from('echo hi\n'))]);
    expect(archive.length % 4).toBe(0);
    const listing = spawnSync('cpio', ['-t', '--quiet'], { input: archive });
    if (listing.error === undefined)
      expect(listing.stdout.toString().trim().split('\n')).toEqual(['lab', 'lab/script.sh']);
  });
});
