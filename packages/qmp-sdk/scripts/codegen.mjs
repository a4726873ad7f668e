// Writes src/types/*.generated.ts from the snapshots in schemas/.
//   node scripts/codegen.mjs            generate and write
//   node scripts/codegen.mjs --check    generate in memory; exit 1 when a written file says something else
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { curatedNames, loadSchemaCode, readSnapshots, root } from './schema-tools.mjs';

const code = await loadSchemaCode();
const snapshots = readSnapshots(code);
const files = new Map();
const versioned = ({ origin, table }) => ({ version: origin.version, table });
const described = ({ origin }) => `QEMU ${origin.version} (${origin.package}, ${origin.binary})`;

for (const snapshot of snapshots) {
  const text = code.emitTypes(code.mergeSchemas([versioned(snapshot)]), { origin: `Of ${described(snapshot)}.` });
  files.set(`${snapshot.name}.generated.ts`, text);
}
const merged = code.mergeSchemas(snapshots.map(versioned));
const origin = `The union of ${snapshots.map(described).join('; ')}.`;
files.set('merged.generated.ts', code.emitTypes(merged, { origin }));
files.set(
  'names.generated.ts',
  lockText(
    code.lockOf(
      snapshots.map(({ table }) => table),
      curatedNames(),
    ),
  ),
);

const stale = [...files].filter(([file, text]) => {
  const path = join(root, 'src/types', file);
  return !existsSync(path) || readFileSync(path, 'utf8') !== text;
});
if (!process.argv.includes('--check')) {
  for (const [file, text] of stale) writeFileSync(join(root, 'src/types', file), text);
  console.log(`codegen: ${files.size} files from ${snapshots.length} snapshots, ${stale.length} changed`);
} else if (stale.length > 0) {
  const names = stale.map(([file]) => file).join(', ');
  console.error(`${names} in src/types do not belong to schemas/: run npm run codegen -w @xenpt/qmp-sdk`);
  process.exitCode = 1;
}

/** A string for each part: a literal map would cost ten times as much to compile. */
function lockText(lock) {
  const parts = Object.entries(code.writeNameLock(lock)).map(
    ([part, text]) => `  ${part}: ${JSON.stringify(text)},\n`,
  );
  return `// Generated; do not edit.\nexport const lockText = {\n${parts.join('')}};\n`;
}
