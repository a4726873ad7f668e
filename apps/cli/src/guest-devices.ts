import { runProcess as runProcessWith } from './process.js';
import { runCommand } from './run-command.js';
import { attach } from './verbs/attach.js';
import { detach } from './verbs/detach.js';
import { devices } from './verbs/devices.js';

/** Verbs that a guest waits for: of what our side of an attach takes, loading was a third. */
export const guestDeviceVerbs = [attach, detach, devices];

/** Called by bin/xenpt.js, for a command line that begins with one of {@link guestDeviceVerbs}. */
export const runProcess = (): Promise<void> =>
  runProcessWith((commandLine, io) =>
    runCommand(
      commandLine,
      io,
      guestDeviceVerbs.filter(({ name }) => name === commandLine[0]),
    ),
  );
