import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';
import { writeThirdPartyLicences } from '../../scripts/lib/third-party-licences.js';

// Two builds write to it, so neither may clean it.
rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['scripts/embed-worker.mjs'], { stdio: 'inherit' });

const common: Options = {
  format: ['esm', 'cjs'],
  // No shims: they would bring node:path and node:url into what must also run in a browser.
  platform: 'neutral',
  target: 'node20',
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
    metafile: true,
    esbuildPlugins: [ourIndex],
    // esbuild keeps an import that nothing uses any more, of a name that the index does not export.
    treeshake: true,
    // A neutral platform looks at no such field by itself, and comlink has no `exports`.
    esbuildOptions: (options) => void (options.mainFields = ['module', 'main']),
    onSuccess: () => Promise.resolve(writeThirdPartyLicences()),
  },
]);
