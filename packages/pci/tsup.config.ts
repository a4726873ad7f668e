import { defineConfig } from 'tsup';
import { writeThirdPartyLicences } from '../../scripts/lib/third-party-licences.js';

export default defineConfig({
  entry: ['src/index.ts', 'src/sysfs/index.ts', 'src/sysfs/testing/index.ts', 'src/grammar/index.ts'],
  format: ['esm', 'cjs'],
  // The entries share one PciError in CommonJS too, so that `instanceof` holds between them.
  splitting: true,
  // No shims: they would bring node:path and node:url into what must also run in a browser.
  platform: 'neutral',
  external: [/^node:/],
  noExternal: ['@rgrove/parse-xml'],
  metafile: true,
  target: 'node20',
  clean: true,
  // TypeScript 6 rejects the baseUrl that tsup 8 sets for declarations (egoist/tsup #1388).
  onSuccess: () => Promise.resolve(writeThirdPartyLicences()),
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
});
