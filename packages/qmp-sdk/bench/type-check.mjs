// Seconds to type-check a small program that uses the client, beside one that says `const a = 1`, in one run:
//   node bench/type-check.mjs [--rounds 5]
// It reads the declarations that users get (dist/). The empty program is the yardstick: with `skipLibCheck: false` the
// compiler checks its own libraries and @types/node in both, and that is most of the time.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const { resolve } = createRequire(import.meta.url);
const compiler = resolve('typescript/bin/tsc');

const use = `
const { status } = await client.execute('query-status');
for (const { device, inserted } of await client.execute('query-block')) console.log(device, inserted?.image.filename);
await client.execute('blockdev-add', { driver: 'qcow2', 'node-name': 'n', file: { driver: 'file', filename: 'f' } });
const added = await client.expect('DEVICE_DELETED', ({ data }) => data.device === 'disk0');
console.log(status === 'running', added.timestamp.seconds);
for await (const event of client.events(['STOP', 'RESUME'])) console.log(event.event);
`;
const programs = {
  'const a = 1': 'export const a = 1;\n',
  'all versions': `import { connect } from '@xenpt/qmp-sdk/node';\nconst client = await connect({ unix: 's' });${use}`,
  'pinned to 10.0':
    "import { connect } from '@xenpt/qmp-sdk/node/pinned';\n" +
    "import type { Commands, Events } from '@xenpt/qmp-sdk/types/qemu-10.0';\n" +
    `const client = await connect<Commands, Events>({ unix: 's' });${use}`,
};
const configurations = {
  'skipLibCheck (tsc --init)': { skipLibCheck: true, lib: ['es2023'] },
  'declarations checked': { skipLibCheck: false, lib: ['es2023'] },
  'declarations checked, with DOM': { skipLibCheck: false, lib: ['es2023', 'dom'] },
};

if (!existsSync(path.join(packageFolder, 'dist/node/pinned.d.ts'))) {
  process.stderr.write('dist/ is not built: run npx nx build @xenpt/qmp-sdk first.\n');
  process.exit(1);
}
const folder = mkdtempSync(path.join(tmpdir(), 'type-check-'));
try {
  prepare();
  for (const [name, options] of Object.entries(configurations)) measure(name, options);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function prepare() {
  mkdirSync(path.join(folder, 'node_modules/@xenpt'), { recursive: true });
  mkdirSync(path.join(folder, 'node_modules/@types'));
  symlinkSync(packageFolder, path.join(folder, 'node_modules/@xenpt/qmp-sdk'));
  symlinkSync(path.dirname(resolve('@types/node/package.json')), path.join(folder, 'node_modules/@types/node'));
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  Object.values(programs).forEach((text, index) => writeFileSync(path.join(folder, `program${index}.ts`), text));
}

function measure(title, options) {
  const files = Object.keys(programs).map((name, index) => {
    const config = path.join(folder, `tsconfig.${index}.json`);
    const common = { target: 'es2022', module: 'nodenext', strict: true, noEmit: true, types: ['node'] };
    const compilerOptions = { ...common, ...options };
    writeFileSync(config, JSON.stringify({ compilerOptions, files: [`program${index}.ts`] }));
    return { name, config, elapsed: Infinity, user: Infinity };
  });
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const file of files) {
      const { elapsed, user } = check(file.config);
      file.elapsed = Math.min(file.elapsed, elapsed);
      file.user = Math.min(file.user, user);
    }
  }
  const [empty] = files;
  console.log(`\n${title}: best of ${values.rounds} interleaved rounds, seconds`);
  console.log('program'.padEnd(20) + ['elapsed', 'over empty', 'user', 'over empty'].map(cell).join(''));
  for (const { name, elapsed, user } of files) {
    const numbers = [elapsed, elapsed - empty.elapsed, user, user - empty.user];
    console.log(name.padEnd(20) + numbers.map((number) => cell(number.toFixed(2))).join(''));
  }
}

function cell(text) {
  return text.padStart(12);
}

/** Elapsed time on a busy machine is also that of others; user time is the compiler's own. */
function check(config) {
  const script = 'TIMEFORMAT="%R %U"; time "$@"';
  const args = ['-c', script, 'bash', process.execPath, compiler, '-p', config];
  const { status, stdout, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tsc does not accept the program:\n${stdout}${stderr}`);
  const [elapsed, user] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { elapsed, user };
}
