import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { bundleProgram } from '../../scripts/lib/bundle-program.js';
import { writeThirdPartyLicences } from '../../scripts/lib/third-party-licences.js';

/** The manual is made by the program itself, of what its help is made of. */
function writeManual(): void {
  mkdirSync('dist/man', { recursive: true });
  for (const name of ['xenpt.1', 'xenpt-pci-spec.5', 'xenpt-concepts.7']) {
    writeFileSync(`dist/man/${name}`, execFileSync('node', ['bin/xenpt.js', '__man', name]));
  }
}

export default defineConfig({
  entry: ['src/main.ts'],
  format: ['esm'],
  target: 'node20',
  clean: true,
  noExternal: [
    'commander',
    'picocolors',
    'cli-table3',
    'echarts',
    'zrender',
    'tslib',
    'prom-client',
    '@opentelemetry/api',
    'tdigest',
    'bintrees',
  ],
  metafile: true,
  // The bundled CommonJS packages call require('node:…').
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      'const require = __createRequire(import.meta.url);',
    ].join('\n'),
  },
  onSuccess: async () => {
    for (const name of ['inventory', 'guest-devices']) {
      await bundleProgram({
        entry: `src/${name}.ts`,
        output: `dist/${name}.js`,
        metafile: `dist/metafile-${name}.json`,
      });
    }
    writeThirdPartyLicences();
    writeManual();
  },
});
