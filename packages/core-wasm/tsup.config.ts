import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  // No shims: they would bring node:path and node:url into what must also run in a browser.
  platform: 'neutral',
  target: 'node20',
  sourcemap: true,
  clean: true,
  // TypeScript 6 rejects the baseUrl that tsup 8 sets for declarations (egoist/tsup #1388).
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
});
