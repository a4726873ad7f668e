import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleForBrowser, ensureDist, packageRoot, runFixture } from './dist.js';

const answer = (build: string): object => ({
  build,
  changed: 0xf8,
  byteEnables: 0b0100,
  read: 0xffff_00ff,
  outside: 0xffff,
  event: (1 << 8) | 8 | 5,
  flags: 5,
  errors: true,
});
const answers = [answer('release'), answer('debug')];

describe('the built package starts at once', () => {
  beforeAll(ensureDist);

  test.each([
    ['require, CommonJS', 'require.cjs'],
    ['import, ES module', 'import.mjs'],
    ['a worker thread', 'worker.mjs'],
  ])('%s', (_, fixture) => {
    expect(runFixture(fixture)).toEqual(answers);
  });

  test('a browser bundle, in a world without Node', () => {
    const bundle = bundleForBrowser('browser.mjs');
    const world: { atob: typeof atob; result?: string } = { atob };
    createContext(world);
    expect(runInContext('[typeof process, typeof require, typeof Buffer].join()', world)).toBe(
      'undefined,undefined,undefined',
    );
    runInContext(bundle, world);
    expect(JSON.parse(world.result ?? 'null')).toEqual(answers);
  });

  test.each(['index.js', 'index.cjs'])('%s asks for nothing of Node', (name) => {
    const text = readFileSync(`${packageRoot}dist/${name}`, 'utf8');
    expect(text).not.toMatch(/\brequire\(|\bnode:|\bprocess\.|^import\b|\bBuffer\b/m);
  });

  test('the accesses allocate nothing', () => {
    const flags = ['--expose-gc', '--min-semi-space-size=64'];
    const { rounds, grownBytes } = runFixture('allocation.mjs', flags) as { rounds: number; grownBytes: number };
    expect(grownBytes / rounds).toBeLessThan(1);
    const control = runFixture('allocation.mjs', flags, ['--allocate']) as { grownBytes: number };
    expect(control.grownBytes / rounds, 'the measure sees one object a round').toBeGreaterThan(10);
  });
});
