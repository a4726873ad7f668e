import {
  applyPersist,
  type AssignableRemoved,
  listAssignable,
  planForget,
  removeAssignable,
  XenErrorCode,
  type XenHost,
} from '@xenpt/qmp-sdk/xen';
import { confirm, yesOption } from '../confirm.js';
import { eachDevice, expandDevices } from '../each-device.js';
import { ExitCode } from '../exit-code.js';
import { changedDevices } from '../output/assignable-schema.js';
import {
  describeWritten,
  filesJson,
  formatFiles,
  persistedFiles,
  persistOption,
  STILL_KEPT,
} from '../output/persist.js';
import { dryRunOption, formatPlan } from '../output/plan.js';
import type { Verb } from '../verb.js';

export const assignableRemove: Verb = {
  name: 'assignable remove',
  summary: 'give devices back to the drivers they were taken from',
  arguments: [
    {
      name: 'BDF',
      description: 'address such as 0000:03:00.0 or 03:00.0; 03:00.* is all its functions',
      variadic: true,
    },
  ],
  options: [
    persistOption,
    dryRunOption,
    yesOption,
    { flags: '-r, --rebind', description: "xl's; it is always bound to its driver again" },
  ],
  examples: [['xenpt assignable remove 03:00.0', 'also what xl pci-assignable-add took']],
  schema: { ...changedDevices, ...persistedFiles },
  exitCodes: [
    ExitCode.failed,
    ExitCode.notFound,
    ExitCode.busy,
    ExitCode.rolledBack,
    ExitCode.manualRecovery,
    ExitCode.timeout,
    ExitCode.noHypervisor,
  ],
  run: async (context, words, options) => {
    const { host, io, signal, onStep } = context;
    const dryRun = options['dryRun'] === true;
    const forgets = options['persist'] === true;
    const devices = expandDevices(context, words);
    const kept = planForget(host, devices, { command: io.command });
    const changes = forgets && kept.files.length > 0;
    if (changes && !dryRun) await confirm(io, options, formatFiles(kept));
    const passed = devices.length > words.length || changes ? XenErrorCode.notAssignable : undefined;
    const remove = (device: string) => removeAssignable(host, device, { signal, dryRun, onStep });
    // What is only kept for the next start, or is gone, can be forgotten all the same.
    const present = changes ? devices.filter((device) => isHeld(host, device)) : devices;
    const removed = present.length === 0 ? [] : await eachDevice(context, present, remove, passed);
    if (changes && !dryRun) applyPersist(host, kept);
    const plans = removed.flatMap(({ plan }) => plan ?? []);
    const files = forgets ? kept : { files: [], notes: [] };
    const lines = dryRun
      ? [formatPlan(plans), ...formatFiles(files)]
      : [...removed.map(describe), ...describeWritten(files)];
    return {
      json: { dryRun, devices: removed, files: filesJson(files) },
      text: lines.filter((line) => line !== '').join('\n'),
      notes: forgets ? files.notes : kept.files.length > 0 ? [STILL_KEPT] : [],
    };
  },
};

function isHeld(host: XenHost, device: string): boolean {
  return listAssignable(host).some(({ sbdf }) => sbdf === device);
}

function describe({ sbdf, driver }: AssignableRemoved): string {
  return driver === null
    ? `${sbdf} is dom0's again, without a driver: none was recorded`
    : `${sbdf} is bound to ${driver.split('/').pop() ?? ''} again`;
}
