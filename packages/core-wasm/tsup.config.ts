import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';

// Two builds write to it, so neither may clean it.
rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['scripts/embed-worker.mjs'], { stdio: 'inherit' });

const common: Options = {
  format: ['esm', 'cjs'],
  // No shims: they would bring node:path and node:url into what must also run in a browser.
  platform: 'neutral',
  target: 'node20',
  sourcemap: true,
};

/**
 * One copy of the classes: an error of the pool is an instance of the CoreError that the user imports. The package
 * names itself, so that an ES module finds its ES module and CommonJS its CommonJS.
 */
const ourIndex: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'our-index',
  setup({ onResolve }) {
    const filter = /^\.\/(bitmap|bitmap-core|errors)\.js$/;
    onResolve({ filter }, () => ({ path: '@xenpt/core-wasm', external: true }));
  },
};

/** The licences of the packages whose code is in the bundle, as they ask for. */
function writeThirdPartyLicences(): void {
  const { sources } = JSON.parse(readFileSync('dist/worker.js.map', 'utf8')) as { sources: string[] };
  const folders = new Set(sources.flatMap((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const texts = [...folders].sort().map((folder) => {
    const path = new URL(`dist/${folder}/`, `file://${process.cwd()}/`);
    const { name, version } = JSON.parse(readFileSync(new URL('package.json', path), 'utf8')) as Record<
      string,
      string
    >;
    const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} is bundled but has no licence file`);
    return `${name} ${version}\n\n${readFileSync(new URL(file, path), 'utf8').trim()}\n`;
  });
  writeFileSync('dist/THIRD-PARTY-LICENCES.txt', texts.join(`\n${'-'.repeat(80)}\n\n`));
}

export default defineConfig([
  {
    ...common,
    entry: ['src/index.ts'],
    dts: {
      // Together, so that both speak of one DirtyBitmap.
      entry: ['src/index.ts', 'src/worker.ts'],
      // TypeScript 6 rejects the baseUrl that tsup 8 sets for declarations (egoist/tsup #1388).
      compilerOptions: { ignoreDeprecations: '6.0' },
    },
  },
  {
    ...common,
    entry: ['src/worker.ts'],
    noExternal: ['comlink'],
    esbuildPlugins: [ourIndex],
    // esbuild keeps an import that nothing uses any more, of a name that the index does not export.
    treeshake: true,
    // A neutral platform looks at no such field by itself, and comlink has no `exports`.
    esbuildOptions: (options) => void (options.mainFields = ['module', 'main']),
    onSuccess: () => Promise.resolve(writeThirdPartyLicences()),
  },
]);
