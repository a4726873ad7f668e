import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deb822Uris, defaultMirror, findDebianMirror, oneLineUris } from '../../src/host/apt-sources.js';

describe('one-line sources', () => {
  it('reads the URI after options, and neither comments nor sources', () => {
    const text = [
      '# deb http://commented.example/debian bookworm main',
      'deb-src http://source.example/debian bookworm main',
      'deb [arch=amd64 signed-by=/x.gpg] http://mirror.example/debian bookworm main contrib',
      '  deb https://other.example/debian/ bookworm main',
    ].join('\n');
    expect(oneLineUris(text)).toEqual(['http://mirror.example/debian', 'https://other.example/debian/']);
  });
});

describe('deb822 sources', () => {
  it('reads every URI of a stanza, also on continuation lines', () => {
    const text = 'Types: deb deb-src\nURIs: http://a.example/debian\n http://b.example/debian\nSuites: trixie\n';
    expect(deb822Uris(text)).toEqual(['http://a.example/debian', 'http://b.example/debian']);
  });

  it('leaves out stanzas that are disabled, or for sources only', () => {
    const disabled = 'Types: deb\nURIs: http://off.example/debian\nEnabled: no\n';
    const sources = 'Types: deb-src\nURIs: http://src.example/debian\n';
    const enabled = 'types: deb\n# a comment between fields\nuris: http://on.example/debian\n';
    expect(deb822Uris([disabled, sources, enabled].join('\n'))).toEqual(['http://on.example/debian']);
  });
});

describe('findDebianMirror', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'apt-'));
    mkdirSync(join(directory, 'sources.list.d'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('takes the archive of all releases, not the security one or a vendor', () => {
    writeFileSync(join(directory, 'sources.list.d/a-vendor.list'), 'deb https://vendor.example/node nodistro main\n');
    writeFileSync(
      join(directory, 'sources.list.d/debian.sources'),
      'Types: deb\nURIs: http://m.example/debian-security\n\nTypes: deb\nURIs: http://m.example/debian/\n',
    );
    expect(findDebianMirror(directory)).toBe('http://m.example/debian');
  });

  it('falls back to the default where there is nothing', () => {
    expect(findDebianMirror(join(directory, 'none'))).toBe(defaultMirror);
    expect(findDebianMirror(directory)).toBe(defaultMirror);
  });
});
