// Asks a real QEMU for its schema and writes schemas/<name>.jsonl, with stable names.
//   node scripts/record-schema.mjs NAME PROGRAM [ARGUMENT…]     NAME is qemu-<major>.<minor>[-<build>]
//   node scripts/record-schema.mjs --rename     names the snapshots again, after curated-names.json changed
// A QEMU of another Debian needs only a root with its packages: … NAME chroot ROOT qemu-system-x86_64
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { curatedNames, loadSchemaCode, readSnapshots, snapshotFolder } from './schema-tools.mjs';

// Nothing is run. A build for Xen has no tcg; qtest stands in, which works on a machine without Xen.
const machine = ['-accel', 'tcg', '-accel', 'qtest', '-machine', 'none', '-S', '-display', 'none', '-nodefaults'];
const deadlineMs = 30_000;

const code = await loadSchemaCode();
const [name, ...program] = process.argv.slice(2);
if (name === '--rename') {
  rename();
} else if (!/^qemu-\d+\.\d+(-[a-z0-9]+)?$/.test(name ?? '') || program.length === 0) {
  console.error('usage: record-schema.mjs qemu-<major>.<minor>[-<build>] PROGRAM [ARGUMENT…]  |  --rename');
  process.exitCode = 2;
} else {
  const { greeting, schema } = await ask(program);
  const { major, minor } = greeting.version.qemu;
  const version = `${major}.${minor}`;
  if (name !== `qemu-${version}` && !name.startsWith(`qemu-${version}-`)) {
    throw new Error(`${program.join(' ')} is QEMU ${version}: call its snapshot qemu-${version}, not ${name}.`);
  }
  const earlier = readSnapshots(code).map(({ table }) => table);
  const origin = { version, package: greeting.version.package, binary: basename(program.at(-1)) };
  write(name, origin, code.indexEntities(schema), code.lockOf(earlier, curatedNames()));
}

/** Starts QEMU, returns what it greets with and its schema, and ends it. */
async function ask([file, ...before]) {
  const child = spawn(file, [...before, ...machine, '-qmp', 'stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: deadlineMs,
  });
  let greeting;
  let schema;
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line);
    if (message.error) throw new Error(`QEMU refused: ${message.error.desc}`);
    if (message.QMP) {
      greeting = message.QMP;
      child.stdin.write('{"execute":"qmp_capabilities"}{"execute":"query-qmp-schema","id":1}');
    } else if (message.id === 1) {
      schema = message.return;
      child.stdin.write('{"execute":"quit"}');
    }
  }
  if (!schema) throw new Error(`${[file, ...before].join(' ')} ended, or took ${deadlineMs} ms, without a schema.`);
  return { greeting, schema };
}

/** Oldest first, each with the names that those before it got: the same result however often it is done. */
function rename() {
  const named = [];
  for (const { name, origin, table } of readSnapshots(code)) {
    named.push(write(name, origin, table, code.lockOf(named, curatedNames())));
  }
}

function write(name, origin, table, lock) {
  const naming = code.nameTypes(table, { lock });
  const entities = code.withStableNames(table, naming);
  writeFileSync(join(snapshotFolder, `${name}.jsonl`), code.writeSnapshot(origin, entities));
  console.log(`${name}: ${entities.length} entities from ${origin.package}`);
  for (const { kind, edge, locked, named } of naming.notes) console.log(`  ${kind}: ${edge} ${locked} -> ${named}`);
  return code.indexEntities(entities);
}
