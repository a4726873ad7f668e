import { defineConfig } from 'tsup';
import { bundleProgram } from '../../scripts/lib/bundle-program.js';

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/node/index.ts',
    'src/node/pinned.ts',
    'src/helpers/index.ts',
    'src/testing/index.ts',
    'src/schema/index.ts',
    'src/types/*.ts',
    '!src/types/*.generated.ts',
    'src/xen/index.ts',
    'src/xen/testing/index.ts',
    'src/dirty-rate/index.ts',
    'src/dirty-rate/node/index.ts',
  ],
  format: ['esm', 'cjs'],
  target: 'node20',
  clean: true,
  shims: true,
  // TypeScript 6 rejects the baseUrl that tsup 8 sets for declarations (egoist/tsup #1388).
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  // It finds its worker beside the client of the device model, which therefore stays where it is.
  onSuccess: () =>
    bundleProgram({
      entry: 'src/xen/model-main.ts',
      output: 'dist/xen/model-main.js',
      // The SDK itself is loaded only by a process whose guest restarts.
      external: ['@xenpt/device-model/client', '@xenpt/qmp-sdk/xen'],
    }),
});
