import type { GuestConfigChange } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { flag, list, text } from '../json-schema.js';
import type { Verb, VerbArgument } from '../verb.js';

export const guestConfigArgument: VerbArgument = {
  name: 'FILE',
  description: "a guest's configuration, as xl.cfg(5) says",
};

export const changedConfig: Verb['schema'] = {
  path: { ...text, description: 'The file itself, where the one given is a link.' },
  dryRun: flag,
  devices: list({ ...text, description: 'As the file has, or had, it.' }),
  diff: { ...text, description: 'As patch takes it.' },
};

export const configExitCodes: readonly ExitCode[] = [
  ExitCode.failed,
  ExitCode.notFound,
  ExitCode.refused,
  ExitCode.busy,
  ExitCode.noHypervisor,
];

/** One line for each device; of a dry run the difference, and nothing that patch(1) would not take. */
export function formatChange({ path, dryRun, devices, diff }: GuestConfigChange, verb: string): string {
  return dryRun ? diff : devices.map((device) => `${path} ${verb} ${device}`).join('\n');
}
