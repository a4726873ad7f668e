// From a fresh clone to a built tree: Debian packages, npm packages, build. Each part does nothing when it is done.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mustRun, root, step } from './run.mjs';

const minimumNode = [20, 19];

/** What compiles the native addon; what the lab needs stands in apps/lab/host-packages.json. */
const buildPackages = [
  { package: 'g++', command: 'g++', why: 'compiles the native bindings to libxen*' },
  { package: 'make', command: 'make', why: 'drives that compilation' },
  { package: 'python3', command: 'python3', why: 'node-gyp, which configures that compilation, is written in it' },
];

/** What only the tests need. */
const testPackages = [
  { package: 'chromium', command: 'chromium', why: 'runs the WASM kernels and their worker pool in a browser' },
  { package: 'zsh', command: 'zsh', why: 'completes command lines of xenpt as a person at a terminal would' },
  { package: 'fish', command: 'fish', why: 'the same in the other shell that has a completion of its own' },
];

function assertNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])) return;
  process.stderr.write(
    `Node ${process.versions.node} is too old: xenpt needs ${minimumNode.join('.')} or later.\n` +
      'Next: install a current Node (Debian 13: apt-get install nodejs; elsewhere: https://nodejs.org) ' +
      'and run this again.\n',
  );
  process.exit(1);
}

const isOnPath = (command) =>
  (process.env.PATH ?? '')
    .split(':')
    .concat('/usr/sbin', '/sbin')
    .some((folder) => existsSync(path.join(folder, command)));

function hasNodeHeaders() {
  const prefix = path.dirname(path.dirname(process.execPath));
  return [prefix, '/usr'].some((folder) => existsSync(path.join(folder, 'include/node/node_api.h')));
}

/** @param {{ lab: boolean, tests: boolean }} options whether a Xen host will be booted, and whether tests will run */
export async function installDebianPackages({ lab, tests }) {
  const wanted = [...buildPackages, ...(tests ? testPackages : [])];
  if (lab) wanted.push(...JSON.parse(readFileSync(path.join(root, 'apps/lab/host-packages.json'), 'utf8')));
  const missing = wanted.filter(({ command, file }) => (file ? !existsSync(file) : !isOnPath(command)));
  // Debian's own nodejs keeps its headers in a package of their own.
  if (!hasNodeHeaders() && process.execPath === '/usr/bin/node')
    missing.push({ package: 'libnode-dev', why: 'Node’s headers, for the native bindings' });
  if (missing.length === 0) return;
  process.stdout.write('These Debian packages are missing and will be installed:\n');
  for (const entry of missing) process.stdout.write(`  ${entry.package.padEnd(18)} ${entry.why}\n`);
  const asRoot = process.getuid() === 0 ? [] : ['sudo'];
  if (asRoot.length > 0 && !isOnPath('sudo')) {
    process.stderr.write('Neither root nor sudo: install them yourself, then run this again.\n');
    process.exit(1);
  }
  const apt = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y'];
  const [command, ...rest] = apt;
  await mustRun(command, [...rest, 'update'], 'Reading Debian’s package lists', { quiet: true });
  await mustRun(
    command,
    [...rest, 'install', '--no-install-recommends', ...missing.map((entry) => entry.package)],
    'Installing Debian packages',
    { quiet: true },
  );
}

async function installNpmPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = path.join(root, 'node_modules/.xenpt-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  await step('npm packages (npm ci)', async () => {
    await mustRun('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'Installing npm packages', {
      quiet: true,
    });
    writeFileSync(stamp, lock);
  });
}

export const nx = (args) => ['--no-install', 'nx', ...args];

/** @param {{ lab: boolean, tests?: boolean, whileBuilding?: () => Promise<void> }} options */
export async function setUp({ lab, tests = false, whileBuilding }) {
  assertNode();
  await installDebianPackages({ lab, tests });
  await installNpmPackages();
  if (whileBuilding) await mustRun('npx', nx(['build', '@xenpt/lab']), 'Building the lab', { quiet: true });
  await Promise.all([
    step('build (WASM kernels, native bindings, packages)', () =>
      mustRun('npx', nx(['run-many', '-t', 'native', 'build']), 'Building', { quiet: true }),
    ),
    whileBuilding?.(),
  ]);
}

/** For a script that must be root because it boots a host with root's files in it. */
export function assertRootOrSudo() {
  if (process.getuid() === 0) return;
  const again = spawnSync('sudo', ['-E', process.execPath, ...process.argv.slice(1)], { stdio: 'inherit' });
  process.exit(again.status ?? 1);
}
