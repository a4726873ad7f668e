import { runProcess as runProcessWith } from './process.js';
import { runCommand } from './run-command.js';
import { doctor } from './verbs/doctor.js';
import { fit } from './verbs/fit.js';
import { list } from './verbs/list.js';
import { show } from './verbs/show.js';
import { tree } from './verbs/tree.js';

/** Verbs that only look: over in less than a second, of which loading is a good part. */
export const inventoryVerbs = [list, show, tree, doctor, fit];

/** Called by bin/xenpt.js, for a command line that begins with one of {@link inventoryVerbs}. */
export const runProcess = (): Promise<void> =>
  runProcessWith((commandLine, io) =>
    runCommand(
      commandLine,
      io,
      inventoryVerbs.filter(({ name }) => name === commandLine[0]),
    ),
  );
