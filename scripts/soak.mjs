// `npm run soak`: every lab scenario on every profile, with more rounds than `npm test` has time for, and the migration
// of a Linux guest between two QEMUs.
import { mustRun, run, step } from './lib/run.mjs';
import { assertRootOrSudo, setUp } from './lib/setup.mjs';

assertRootOrSudo();
await setUp({ lab: true });
await step('packing what users install', () => mustRun('node', ['scripts/pack.mjs'], 'Packing'));
const soak = (title, args) =>
  step(title, () =>
    run('npx', ['--no-install', 'vitest', 'run', '--reporter=verbose', ...args], { env: { XENPT_SOAK: '1' } }),
  );
const codes = [
  await soak('lab scenarios', ['--project=lab', '--maxWorkers=2']),
  await soak('a Linux guest from QEMU to QEMU', ['--project=@xenpt/qmp-sdk', 'linux-migration']),
];
process.exit(codes.every((code) => code === 0) ? 0 : 1);
