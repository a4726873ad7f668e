import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { libraryCandidates, readHypervisor } from '../src/libraries.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'libraries-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), content);
}

describe('libraryCandidates', () => {
  it('asks for libxenctrl of the running release first, then for the others, newest first, each once', () => {
    const names = libraryCandidates('xenctrl', { major: 4, minor: 19 }, root).filter((name) => !name.includes('/'));
    expect(names).toEqual(['19', '21', '20', '18', '17'].map((minor) => `libxenctrl.so.4.${minor}`));
  });

  it('tries a release that we do not know yet, when it is the one that runs', () => {
    expect(libraryCandidates('xenctrl', { major: 5, minor: 0 }, root)[0]).toBe('libxenctrl.so.5.0');
  });

  it('asks the linker first and then where Debian keeps libraries that the linker does not search', () => {
    mkdirSync(join(root, 'usr/lib/xen-4.17/lib/x86_64-linux-gnu'), { recursive: true });
    expect(libraryCandidates('xenevtchn', null, root)).toEqual([
      'libxenevtchn.so.1',
      join(root, 'usr/lib/xen-4.17/lib/x86_64-linux-gnu/libxenevtchn.so.1'),
      join(root, 'usr/lib/x86_64-linux-gnu/libxenevtchn.so.1'),
    ]);
  });
});

describe('readHypervisor', () => {
  it('reads the version of a running Xen', () => {
    write('sys/hypervisor/type', 'xen\n');
    write('sys/hypervisor/version/major', '4\n');
    write('sys/hypervisor/version/minor', '20\n');
    expect(readHypervisor(root)).toEqual({ major: 4, minor: 20 });
  });

  it('is null for none, and for one that is not Xen', () => {
    expect(readHypervisor(root)).toBeNull();
    write('sys/hypervisor/type', 'other\n');
    expect(readHypervisor(root)).toBeNull();
  });
});
