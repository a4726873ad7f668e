import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

it('docs/qmp.md names tests that are there', () => {
  const named = [...read('docs/qmp.md').matchAll(/`([\w./-]+\.test\.ts)`/g)].map((match) => match[1] ?? '');
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((file) => !existsSync(path.join(root, 'packages/qmp-sdk/test', file)))).toEqual([]);
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
