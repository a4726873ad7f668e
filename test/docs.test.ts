import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

describe('docs/qmp.md', () => {
  const [comparison = ''] = read('docs/qmp.md').split('\n## ');
  const rows = comparison
    .split('\n')
    .filter((line) => /^\| \w/.test(line))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| |\s*\|$/g, '')));

  it('has every row of the comparison', () => {
    expect(rows.length).toBeGreaterThan(30);
  });

  it.each(rows)('%s', (_, ours = '', shownBy = '') => {
    const named = [...shownBy.matchAll(/`([\w./-]+\.test\.ts)` “([^”]+)”/g)];
    // What we have is shown by a test of that name; what we have not needs none.
    expect(named.length > 0).toBe(ours !== 'N');
    for (const [, file = '', title = ''] of named) {
      const text = read(path.join('packages/qmp-sdk/test', file));
      expect(
        [`'${title}'`, `"${title}"`].some((quoted) => text.includes(quoted)),
        `${file}: ${title}`,
      ).toBe(true);
    }
  });
});

it('links between documents lead somewhere', () => {
  const packages = ['packages', 'apps'].flatMap((folder) =>
    readdirSync(path.join(root, folder)).map((n) => `${folder}/${n}`),
  );
  const documents = ['.', 'docs', ...packages].flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join(folder, name)),
  );
  const broken = documents.flatMap((document) =>
    [...read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !existsSync(path.join(root, path.dirname(document), target)))
      .map((target) => `${document}: ${target}`),
  );
  expect(broken).toEqual([]);
});
