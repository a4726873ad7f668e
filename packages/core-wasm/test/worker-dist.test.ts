import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureWorkerDist } from './worker-dist.js';
import { packageRoot, runFixture } from './dist.js';

const answer = {
  equal: true,
  dirty: 983_041,
  range: 'CORE_ARGUMENT_RANGE',
  closed: 'CORE_POOL_CLOSED',
  threads: 0,
};

beforeAll(ensureWorkerDist);

// runFixture has a time limit: a thread that is left would keep the process alive, and the test would fail.
describe('the built pool works, and its process ends by itself', () => {
  test.each([
    ['ES module', 'pool.mjs'],
    ['CommonJS', 'pool.cjs'],
  ])('%s', (_, fixture) => {
    expect(runFixture(fixture)).toEqual(answer);
  });

  test('with an unclosed stream and without close, it does not: the measure can fail', () => {
    const text = `import('@xenpt/core-wasm/worker').then(({ ScanPool }) => ScanPool.open({ threads: 1 }))`;
    const run = (): unknown => execFileSync(process.execPath, ['-e', text], { cwd: packageRoot, timeout: 4000 });
    expect(run).toThrow(/ETIMEDOUT/);
  });

  test('in a bundle of one file, for Node', () => {
    const require = createRequire(import.meta.url);
    const esbuild = createRequire(require.resolve('tsup/package.json'))('esbuild') as {
      buildSync(options: object): void;
    };
    const folder = mkdtempSync(path.join(tmpdir(), 'core-wasm-bundle-'));
    try {
      const outfile = path.join(folder, 'bundle.cjs');
      const entryPoints = [`${packageRoot}test/fixtures/pool.cjs`];
      esbuild.buildSync({ entryPoints, bundle: true, platform: 'node', outfile, logLevel: 'silent' });
      expect(JSON.parse(execFileSync(process.execPath, [outfile], { encoding: 'utf8' }))).toEqual(answer);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('packed and installed elsewhere, without a registry', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'core-wasm-install-'));
    const npm = (args: string[], cwd: string): string =>
      execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: 'pipe' });
    npm(['pack', '--ignore-scripts', '--pack-destination', folder], packageRoot);
    const app = path.join(folder, 'app');
    mkdirSync(app);
    writeFileSync(path.join(app, 'package.json'), '{ "private": true }');
    const { version } = JSON.parse(readFileSync(`${packageRoot}package.json`, 'utf8')) as { version: string };
    const registry = ['--registry=http://127.0.0.1:9', '--fetch-retries=0'];
    npm(['install', '--offline', '--no-audit', '--no-fund', ...registry, `../xenpt-core-wasm-${version}.tgz`], app);
    for (const name of ['pool.mjs', 'pool.cjs', 'pool-exercise.cjs']) {
      writeFileSync(path.join(app, name), readFileSync(`${packageRoot}test/fixtures/${name}`));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(['pool.mjs', 'pool.cjs'])('%s', (name) => {
    const output = execFileSync(process.execPath, [name], {
      cwd: path.join(folder, 'app'),
      encoding: 'utf8',
      timeout: 50_000,
    });
    expect(JSON.parse(output)).toEqual(answer);
  });

  test('nothing else is installed, and the licence of what is bundled is there', () => {
    const modules = path.join(folder, 'app/node_modules');
    expect(existsSync(path.join(modules, 'comlink'))).toBe(false);
    const licences = readFileSync(path.join(modules, '@xenpt/core-wasm/dist/THIRD-PARTY-LICENCES.txt'), 'utf8');
    expect(licences).toMatch(/^comlink 4\.4\.2\n/);
    expect(licences).toMatch(/Apache License\s+Version 2\.0/);
  });
});

describe('the built files', () => {
  test('the worker text is that of the sources', () => {
    const script = `${packageRoot}scripts/embed-worker.mjs`;
    execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' });
    const { length } = readFileSync(`${packageRoot}src/worker-code.generated.ts`, 'utf8');
    expect(length).toBeGreaterThan(10_000);
  });

  test.each(['worker.js', 'worker.cjs'])('%s imports this package and nothing else', (name) => {
    const text = readFileSync(`${packageRoot}dist/${name}`, 'utf8');
    const imported = [...text.matchAll(/^import .* from '([^']+)'|\brequire\('([^']+)'\)/gm)].map((found) => {
      return found[1] ?? found[2];
    });
    expect(imported).toEqual(['@xenpt/core-wasm']);
  });
});
