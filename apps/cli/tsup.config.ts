import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

/** The licences of the packages whose code is in the bundle, as they ask for. */
function writeThirdPartyLicences(): void {
  const { sources } = JSON.parse(readFileSync('dist/main.js.map', 'utf8')) as { sources: string[] };
  const folders = new Set(sources.flatMap((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const texts = [...folders].sort().map((folder) => {
    const path = new URL(`dist/${folder}/`, `file://${process.cwd()}/`);
    const { name, version } = JSON.parse(readFileSync(new URL('package.json', path), 'utf8')) as Record<
      string,
      string
    >;
    const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file || !existsSync(new URL(file, path))) throw new Error(`${name} is bundled but has no licence file`);
    return `${name} ${version}\n\n${readFileSync(new URL(file, path), 'utf8').trim()}\n`;
  });
  writeFileSync('dist/THIRD-PARTY-LICENCES.txt', texts.join(`\n${'-'.repeat(80)}\n\n`));
}

export default defineConfig({
  entry: ['src/main.ts'],
  format: ['esm'],
  target: 'node20',
  sourcemap: true,
  clean: true,
  noExternal: ['commander', 'picocolors', 'cli-table3'],
  // The bundled CommonJS packages call require('node:…').
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      'const require = __createRequire(import.meta.url);',
    ].join('\n'),
  },
  onSuccess: () => Promise.resolve(writeThirdPartyLicences()),
});
