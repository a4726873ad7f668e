import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** What esbuild says of a build, with tsup's option `metafile`. */
interface Metafile {
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { bytesInOutput: number }>> }>
  >;
}

/**
 * Writes the licences of the packages whose code tsup has put into `dist`, as they ask for; to be called in the folder
 * of a package after its build with `metafile`, whose files it removes: they are not for users.
 */
export function writeThirdPartyLicences(): void {
  const metafiles = readdirSync('dist').filter((name) => /^metafile-.*\.json$/.test(name));
  if (metafiles.length === 0) throw new Error('dist has no metafile: set it in tsup.config.ts');
  const sources = metafiles.flatMap((name) => {
    const { outputs } = JSON.parse(readFileSync(`dist/${name}`, 'utf8')) as Metafile;
    const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
    return inputs.flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []));
  });
  for (const name of metafiles) rmSync(`dist/${name}`);
  const folders = new Set(sources.flatMap((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const texts = [...folders].sort().map((folder) => {
    const path = new URL(`${folder}/`, `file://${process.cwd()}/`);
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
