import { applySetup, planSetup } from '@xenpt/qmp-sdk/xen';
import { confirm, yesOption } from '../confirm.js';
import { ExitCode } from '../exit-code.js';
import { flag, list, text } from '../json-schema.js';
import { describeWritten, filesJson, formatFiles, persistedFiles } from '../output/persist.js';
import { dryRunOption } from '../output/plan.js';
import type { Verb } from '../verb.js';

export const setup: Verb = {
  name: 'setup',
  summary: 'have systemd run the device models, where there is systemd; what is written is shown first',
  arguments: [],
  options: [{ flags: '--remove', description: 'have it do so no longer' }, dryRunOption, yesOption],
  examples: [
    ['xenpt setup -N', 'what would be written'],
    ['xenpt setup', 'from the next attach on; again after xenpt was installed elsewhere'],
    ['xenpt setup --remove', 'once no device is attached any more'],
  ],
  schema: { dryRun: flag, ...persistedFiles, commands: list(text) },
  exitCodes: [ExitCode.failed, ExitCode.refused, ExitCode.noHypervisor],
  run: async ({ host, io }, _words, options) => {
    const planned = planSetup(host, { remove: options['remove'] === true });
    const plan = { ...planned, files: planned.files.map((file) => ({ ...file, mode: 0o644 })) };
    const dryRun = options['dryRun'] === true;
    const shown = [...formatFiles(plan), ...plan.commands.map((command) => `then: ${command}`)];
    const json = { dryRun, files: filesJson(plan), commands: plan.commands };
    if (dryRun || plan.files.length === 0) {
      const nothing = plan.notes.length > 0 ? 'nothing is to be done' : 'everything is as it should be';
      return { json, text: shown.length > 0 ? shown.join('\n') : nothing, notes: plan.notes };
    }
    await confirm(io, options, shown);
    await applySetup(host, plan);
    return { json, text: describeWritten(plan).join('\n'), notes: plan.notes };
  },
};
