import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * Writes the licences of the packages whose code tsup has put into `dist`, as they ask for; to be called in the folder
 * of a package after its build.
 */
export function writeThirdPartyLicences(): void {
  const maps = listMaps('dist');
  const sources = maps.flatMap((file) =>
    JSON.parse(readFileSync(file, 'utf8')).sources.map(
      (source: string) => new URL(source, `file://${process.cwd()}/${file}`),
    ),
  );
  const folders = new Set(sources.flatMap(({ href }) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(href)?.[0] ?? []));
  const texts = [...folders].sort().map((folder) => {
    const path = new URL(`${folder}/`);
    const manifest = readFileSync(new URL('package.json', path), 'utf8');
    const { name, version } = JSON.parse(manifest) as Record<'name' | 'version', string>;
    const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file || !existsSync(new URL(file, path))) throw new Error(`${name} is bundled but has no licence file`);
    const notice = new URL('NOTICE', path);
    const parts = [new URL(file, path), ...(existsSync(notice) ? [notice] : [])];
    return `${name} ${version}\n\n${parts.map((part) => readFileSync(part, 'utf8').trim()).join('\n\n')}\n`;
  });
  writeFileSync('dist/THIRD-PARTY-LICENCES.txt', texts.join(`\n${'-'.repeat(80)}\n\n`));
}

function listMaps(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return listMaps(path);
    return /\.c?js\.map$/.test(entry.name) ? [path] : [];
  });
}
