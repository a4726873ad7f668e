// `npm run soak`: every lab scenario on every profile, with more rounds than `npm test` has time for.
import { mustRun, run, step } from './lib/run.mjs';
import { assertRootOrSudo, setUp } from './lib/setup.mjs';

assertRootOrSudo();
await setUp({ lab: true });
await step('packing what users install', () => mustRun('node', ['scripts/pack.mjs'], 'Packing'));
const args = ['--no-install', 'vitest', 'run', '--project=lab', '--maxWorkers=2', '--reporter=verbose'];
process.exit(await step('soak', () => run('npx', args, { env: { XENPT_SOAK: '1' } })));
