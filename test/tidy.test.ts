import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// The style guide, as far as a program can see it. What it cannot check is left to a reader.
const root = fileURLToPath(new URL('..', import.meta.url));
const maximumLines = 400;
const maximumColumns = 120;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(path.join(root, file)));
const sources = files.filter((file) => /\.(ts|mts|mjs|js|cc|h|c)$/.test(file) && !file.includes('/fixtures/'));
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

/** Every line of the given files that matches, as `file:line text`. */
function linesMatching(among: readonly string[], pattern: RegExp): string[] {
  return among.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [])),
  );
}

const inside = (folder: string) => sources.filter((file) => file.startsWith(folder));
const notThisTest = sources.filter((file) => file !== 'test/tidy.test.ts');

describe('every source file', () => {
  it(`answers one question: at most ${maximumLines} lines`, () => {
    const long = sources
      .map((file) => [file, read(file).split('\n').length] as const)
      .filter(([, n]) => n > maximumLines);
    expect(long).toEqual([]);
  });

  it(`has no line over ${maximumColumns} columns`, () => {
    expect(linesMatching(sources, new RegExp(`^.{${maximumColumns + 1},}$`))).toEqual([]);
  });

  it('carries no note to self, no skipped or lone test, no silenced type error', () => {
    expect(
      linesMatching(notThisTest, /\b(TODO|FIXME|XXX)\b|\.(skip|only)\(|@ts-(ignore|expect-error|nocheck)/),
    ).toEqual([]);
  });

  it('exports by name', () => {
    const configurations = /(vitest|tsup|eslint)\.config\.(ts|js)$/;
    expect(
      linesMatching(
        notThisTest.filter((file) => !configurations.test(file)),
        /^export default\b/,
      ),
    ).toEqual([]);
  });
});

describe('the layers', () => {
  it('core-wasm knows bits, and no word of what they mean', () => {
    const words = /\b(pci|xen|qemu|msi|msi-?x|bar|ioreq|capabilit(y|ies))\b/i;
    const named = linesMatching(
      [...inside('packages/core-wasm/assembly/'), ...inside('packages/core-wasm/src/')],
      words,
    ).filter((line) => !line.includes('@xenpt/'));
    expect(named).toEqual([]);
  });

  it('the register engine never names a capability', () => {
    const engine = [...inside('packages/pci/src/config-space/'), ...inside('packages/pci/src/bars/')];
    expect(linesMatching(engine, /capabilities\/(?!index|capability)[a-z-]+\.js/)).toEqual([]);
  });

  it('nobody reaches into another package by path', () => {
    const reaching = /from '(\.\.\/)+(packages|apps)\/|from '@xenpt\/[a-z-]+\/(src|dist)\b/;
    expect(linesMatching(notThisTest, reaching)).toEqual([]);
  });

  it('native code includes no Xen header', () => {
    expect(linesMatching(inside('packages/xen-bindings/native/'), /#include\s*[<"]xen/)).toEqual([]);
  });

  it('a CLI verb opens no socket, no file and no process', () => {
    expect(linesMatching(inside('apps/cli/src/verbs/'), /from 'node:(fs|net|child_process|dgram|http)/)).toEqual([]);
  });

  it('no generated file stands in git', () => {
    const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n');
    expect(tracked.filter((file) => /\.generated\.ts$|(^|\/)(dist|build)\//.test(file))).toEqual([]);
  });
});

describe('the lists', () => {
  const listed = [
    {
      folder: 'packages/pci/src/capabilities/',
      list: 'packages/pci/src/capabilities/index.ts',
      helpers: ['capability.ts'],
    },
    { folder: 'apps/cli/src/verbs/', list: 'apps/cli/src/verbs/index.ts', helpers: ['verb.ts'] },
  ];
  it.each(listed)('$list names every file beside it, once', ({ folder, list, helpers }) => {
    const names = inside(folder)
      .map((file) => file.slice(folder.length))
      .filter((name) => !name.includes('/') && name !== 'index.ts' && !helpers.includes(name));
    expect(names.length).toBeGreaterThan(0);
    const text = read(list);
    for (const name of names) {
      const imports = text.split(`'./${name.replace(/\.ts$/, '.js')}'`).length - 1;
      expect(imports, `${list} imports ${name}`).toBe(1);
    }
  });
});
