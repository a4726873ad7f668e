import { removeAssignable, XenErrorCode } from '@xenpt/qmp-sdk/xen';
import { eachDevice, expandDevices } from '../each-device.js';
import { ExitCode } from '../exit-code.js';
import { changedDevices } from '../output/assignable-schema.js';
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
  options: [dryRunOption, { flags: '-r, --rebind', description: "xl's; it is always bound to its driver again" }],
  examples: [['xenpt assignable remove 03:00.0', 'also what xl pci-assignable-add took']],
  schema: changedDevices,
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
    const { host, signal, onStep } = context;
    const dryRun = options['dryRun'] === true;
    const devices = expandDevices(context, words);
    const passed = devices.length > words.length ? XenErrorCode.notAssignable : undefined;
    const remove = (device: string) => removeAssignable(host, device, { signal, dryRun, onStep });
    const removed = await eachDevice(context, devices, remove, passed);
    const lines = removed.map(({ sbdf, driver }) =>
      driver === null
        ? `${sbdf} is dom0's again, without a driver: none was recorded`
        : `${sbdf} is bound to ${driver.split('/').pop() ?? ''} again`,
    );
    const plans = removed.flatMap(({ plan }) => plan ?? []);
    return { json: { dryRun, devices: removed }, text: dryRun ? formatPlan(plans) : lines.join('\n') };
  },
};
