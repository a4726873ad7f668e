import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
export const packageRoot = fileURLToPath(new URL('..', import.meta.url));

/** Tests of the built package build it when it is not there, rather than be skipped. */
export function ensureDist(): void {
  const files = ['index.js', 'index.cjs', 'index.d.ts', 'index.d.cts'];
  if (files.every((name) => existsSync(`${packageRoot}dist/${name}`))) return;
  const tsup = require.resolve('tsup/dist/cli-default.js');
  execFileSync(process.execPath, [tsup], { cwd: packageRoot, stdio: 'pipe' });
}

/** Runs test/fixtures/`name` in a Node of its own; what it printed, as JSON. */
export function runFixture(name: string, nodeFlags: readonly string[] = [], flags: readonly string[] = []): unknown {
  const path = `${packageRoot}test/fixtures/${name}`;
  const output = execFileSync(process.execPath, [...nodeFlags, path, ...flags], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  return JSON.parse(output);
}

/** One file of plain script for a browser, as a user's bundler would make it. */
export function bundleForBrowser(name: string): string {
  // The esbuild that tsup brings along: not a dependency of this package.
  const esbuild = createRequire(require.resolve('tsup/package.json'))('esbuild') as {
    buildSync(options: object): { outputFiles: { text: string }[]; warnings: unknown[] };
  };
  const { outputFiles, warnings } = esbuild.buildSync({
    entryPoints: [`${packageRoot}test/fixtures/${name}`],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  if (warnings.length > 0) throw new Error(`esbuild warns: ${JSON.stringify(warnings)}`);
  return outputFiles[0]?.text ?? '';
}
