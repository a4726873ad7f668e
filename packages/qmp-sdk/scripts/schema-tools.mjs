// What record-schema.mjs and codegen.mjs share: the TypeScript under src/schema, made loadable, and the snapshots.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const snapshotFolder = join(root, 'schemas');

const entry = ['well-formed', 'names', 'model', 'emit', 'snapshot'].map((name) => `export * from './${name}.js';`);

/** src/schema as a module that this Node can import: it may be older than type stripping. */
export async function loadSchemaCode() {
  const folder = mkdtempSync(join(tmpdir(), 'qmp-schema-'));
  try {
    const outfile = join(folder, 'schema.mjs');
    const stdin = { contents: entry.join('\n'), resolveDir: join(root, 'src/schema'), loader: 'ts' };
    await build({ stdin, bundle: true, format: 'esm', platform: 'neutral', outfile, logLevel: 'error' });
    return await import(pathToFileURL(outfile));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Names chosen by a person, by edge. */
export function curatedNames() {
  return new Map(Object.entries(JSON.parse(readFileSync(join(snapshotFolder, 'curated-names.json'), 'utf8'))));
}

/** Every snapshot with its name, oldest QEMU first; the full build of a version before those for Xen. */
export function readSnapshots(code) {
  return readdirSync(snapshotFolder)
    .filter((file) => file.endsWith('.jsonl'))
    .map((file) => file.slice(0, -'.jsonl'.length))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => ({
      name,
      ...code.readSnapshot(readFileSync(join(snapshotFolder, `${name}.jsonl`), 'utf8')),
    }));
}
