// `npm run lab`: a shell in the dom0 of a real Xen host. Arguments go to the lab's own command.
import { mustRun } from './lib/run.mjs';
import { assertRootOrSudo, setUp } from './lib/setup.mjs';

assertRootOrSudo();
await setUp({ lab: true });
const args = process.argv.slice(2);
await mustRun('node', ['apps/lab/dist/main.js', ...(args.length > 0 ? args : ['shell'])], 'The lab');
