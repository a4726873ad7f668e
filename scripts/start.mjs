// `npm start`: from a fresh clone to the main job on a real Xen, in the lab.
// `npm start -- --profile xen-4.17` for the other one.
import { parseArgs } from 'node:util';
import { mustRun, run, step } from './lib/run.mjs';
import { assertRootOrSudo, setUp } from './lib/setup.mjs';

const { values } = parseArgs({ options: { profile: { type: 'string', default: 'xen-4.20' } } });
const { profile } = values;

assertRootOrSudo();
const started = performance.now();
await setUp({
  lab: true,
  // The image needs the network and the disk, the build the processor: together they take as long as the longer one.
  whileBuilding: () =>
    step(`image of a dom0 with ${profile}, unless the cache has it`, () =>
      mustRun('node', ['apps/lab/dist/main.js', 'build-image', '--profile', profile], 'Building the image', {
        quiet: true,
      }),
    ),
});
await step('packing what users install', () => mustRun('node', ['scripts/pack.mjs'], 'Packing'));
const code = await run('node', ['apps/lab/dist/story.js', '--profile', profile]);
process.stdout.write(`npm start: ${((performance.now() - started) / 1000).toFixed(0)} s in all\n`);
process.exit(code);
