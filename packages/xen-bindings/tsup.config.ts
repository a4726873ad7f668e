import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node20',
  clean: true,
  shims: true,
  // TypeScript 6 rejects the baseUrl that tsup 8 sets for declarations (egoist/tsup #1388).
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
});
