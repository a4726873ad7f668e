import { defineConfig } from 'tsup';

export default defineConfig({
  // The worker is started by its URL beside the bundle, in both formats as ESM.
  entry: ['src/index.ts', 'src/client.ts', 'src/testing/index.ts', 'src/worker.ts'],
  format: ['esm', 'cjs'],
  target: 'node20',
  sourcemap: true,
  clean: true,
  shims: true,
  // TypeScript 6 rejects the baseUrl that tsup 8 sets for declarations (egoist/tsup #1388).
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
});
