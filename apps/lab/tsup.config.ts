import { defineConfig } from 'tsup';

const common = { target: 'node20', sourcemap: true, shims: true } as const;

export default defineConfig([
  {
    ...common,
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    // TypeScript 6 rejects the baseUrl that tsup 8 sets for declarations (egoist/tsup #1388).
    dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  },
  // The commands; only ever started, never imported.
  { ...common, entry: { main: 'src/main.ts', story: 'src/story/main.ts' }, format: ['esm'], shims: false },
]);
