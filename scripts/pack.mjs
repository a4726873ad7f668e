// Packs what is published into one folder: `node scripts/pack.mjs FOLDER`. Needs a built tree.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { mustRun, root } from './lib/run.mjs';

const published = [
  'packages/core-wasm',
  'packages/pci',
  'packages/xen-bindings',
  'packages/device-model',
  'packages/qmp-sdk',
  'apps/cli',
];
const folder = path.resolve(process.argv[2] ?? path.join(root, 'build/tarballs'));
mkdirSync(folder, { recursive: true });
const workspaces = published.flatMap((name) => ['-w', name]);
await mustRun('npm', ['pack', '--silent', '--pack-destination', folder, ...workspaces], 'Packing', { quiet: true });
