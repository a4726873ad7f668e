import { defineConfig } from 'tsup';
import { writeThirdPartyLicences } from '../../scripts/lib/third-party-licences.js';

export default defineConfig({
  entry: ['src/main.ts'],
  format: ['esm'],
  target: 'node20',
  sourcemap: true,
  clean: true,
  noExternal: ['commander', 'picocolors', 'cli-table3', 'echarts', 'zrender', 'tslib'],
  // The bundled CommonJS packages call require('node:…').
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      'const require = __createRequire(import.meta.url);',
    ].join('\n'),
  },
  onSuccess: () => Promise.resolve(writeThirdPartyLicences()),
});
