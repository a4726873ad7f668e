import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// What a user gets: the packed tarballs, installed into an empty folder without a network, imported both ways.
const root = fileURLToPath(new URL('..', import.meta.url));
const libraries = ['core-wasm', 'pci', 'xen-bindings', 'device-model', 'qmp-sdk'];
const entries = libraries
  .map((name) => `@xenpt/${name}`)
  .concat(
    ...['node', 'helpers', 'schema', 'testing', 'dirty-rate', 'types/names', 'xen'].map(
      (name) => `@xenpt/qmp-sdk/${name}`,
    ),
    ...[
      '@xenpt/core-wasm/worker',
      '@xenpt/pci/sysfs',
      '@xenpt/pci/sysfs/testing',
      '@xenpt/pci/grammar',
      '@xenpt/device-model/testing',
    ],
  );

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'xenpt-packages-'));
  execFileSync('node', ['scripts/pack.mjs', folder], { cwd: root });
  const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true }));
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', ...tarballs.map((name) => `./${name}`)], {
    cwd: folder,
  });
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const node = (...args: string[]) => execFileSync('node', args, { cwd: folder, encoding: 'utf8' });

describe('the packed packages', () => {
  it.each(entries)('%s is imported as ES module and required as CommonJS, with the same names', (entry) => {
    const esm = node(
      '--input-type=module',
      '-e',
      `import * as m from '${entry}'; console.log(Object.keys(m).sort().join())`,
    );
    const cjs = node('-e', `console.log(Object.keys(require('${entry}')).sort().join())`);
    expect(cjs).toBe(esm);
    expect(esm.trim()).not.toBe('');
  });

  it('bring the command, which starts without Xen', () => {
    expect(execFileSync(path.join(folder, 'node_modules/.bin/xenpt'), ['--version'], { encoding: 'utf8' })).toMatch(
      /^\d+\.\d+\.\d+/,
    );
  });

  it.each(libraries)('@xenpt/%s has a package.json that publint accepts', async (name) => {
    const { messages } = await publint({ pkgDir: path.join(root, 'packages', name), level: 'warning', pack: 'npm' });
    expect(messages).toEqual([]);
  });
});
