import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const defaultMirror = 'http://deb.debian.org/debian';

/**
 * The Debian mirror this host uses, so that a lab behind a company's mirror uses that one too.
 * `aptDirectory` is `/etc/apt`. Falls back to {@link defaultMirror}.
 */
export function findDebianMirror(aptDirectory = '/etc/apt'): string {
  for (const path of sourceFiles(aptDirectory)) {
    const text = readFileSync(path, 'utf8');
    const mirror = mirrorOf(path.endsWith('.sources') ? deb822Uris(text) : oneLineUris(text));
    if (mirror) return mirror;
  }
  return defaultMirror;
}

/** The archive URIs of a one-line source list (sources.list(5)): `deb [options] URI suite component…`. */
export function oneLineUris(text: string): string[] {
  const uris: string[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s/.exec(line);
    if (match?.[1]) uris.push(match[1]);
  }
  return uris;
}

/** The archive URIs of a deb822 source list: stanzas with `Types: deb`, `URIs: …`, not `Enabled: no`. */
export function deb822Uris(text: string): string[] {
  const uris: string[] = [];
  const withoutComments = text.replace(/^#.*\n?/gm, '');
  for (const stanza of withoutComments.split(/\n\s*\n/)) {
    const fields = stanzaFields(stanza);
    const types = fields.get('types')?.split(/\s+/) ?? [];
    if (!types.includes('deb') || /^(no|false|0)$/i.test(fields.get('enabled') ?? 'yes')) continue;
    uris.push(...(fields.get('uris')?.split(/\s+/) ?? []));
  }
  return uris;
}

function stanzaFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current = '';
  for (const line of stanza.split('\n')) {
    const field = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line);
    if (field) {
      current = (field[1] ?? '').toLowerCase();
      fields.set(current, (field[2] ?? '').trim());
    } else if (/^\s/.test(line) && current !== '') {
      fields.set(current, `${fields.get(current) ?? ''} ${line.trim()}`.trim());
    }
  }
  return fields;
}

// A mirror holds every release of Debian under one URI that ends in /debian; the security archive and vendors do not.
function mirrorOf(uris: readonly string[]): string | undefined {
  const mirror = uris.find((uri) => /^https?:\/\/\S+\/debian\/?$/.test(uri));
  return mirror?.replace(/\/$/, '');
}

function sourceFiles(aptDirectory: string): string[] {
  const names = (directory: string) => {
    try {
      return readdirSync(directory).map((name) => join(directory, name));
    } catch {
      return [];
    }
  };
  const parts = names(join(aptDirectory, 'sources.list.d')).sort();
  const main = names(aptDirectory).filter((path) => path.endsWith('/sources.list'));
  return [...main, ...parts.filter((path) => /\.(list|sources)$/.test(path))];
}
