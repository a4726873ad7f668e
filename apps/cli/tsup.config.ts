import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

/** The licences of the packages whose code is in the bundle, as they ask for. */
function writeThirdPartyLicences(): void {
  const maps = readdirSync('dist').filter((file) => file.endsWith('.js.map'));
  const sources = maps.flatMap(
    (file) => (JSON.parse(readFileSync(`dist/${file}`, 'utf8')) as { sources: string[] }).sources,
  );
  const folders = new Set(sources.flatMap((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const texts = [...folders].sort().map((folder) => {
    const path = new URL(`dist/${folder}/`, `file://${process.cwd()}/`);
    const { name, version } = JSON.parse(readFileSync(new URL('package.json', path), 'utf8')) as Record<
      string,
      string
    >;
    const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file || !existsSync(new URL(file, path))) throw new Error(`${name} is bundled but has no licence file`);
    const notice = new URL('NOTICE', path);
    const parts = [new URL(file, path), ...(existsSync(notice) ? [notice] : [])];
    return `${name} ${version}\n\n${parts.map((part) => readFileSync(part, 'utf8').trim()).join('\n\n')}\n`;
  });
  writeFileSync('dist/THIRD-PARTY-LICENCES.txt', texts.join(`\n${'-'.repeat(80)}\n\n`));
}

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
