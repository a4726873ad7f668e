import { defineConfig } from 'tsup';
import { bundleProgram } from '../../scripts/lib/bundle-program.js';

export default defineConfig({
  entry: ['src/index.ts', 'src/client.ts', 'src/testing/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node20',
  clean: true,
  shims: true,
  // TypeScript 6 rejects the baseUrl that tsup 8 sets for declarations (egoist/tsup #1388).
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  // Started by its URL beside the client, in both formats as ESM.
  onSuccess: () => bundleProgram({ entry: 'src/worker.ts', output: 'dist/worker.js' }),
});
