import { type AssignableAdded, addAssignable } from '@xenpt/qmp-sdk/xen';
import { eachDevice } from '../each-device.js';
import { ExitCode } from '../exit-code.js';
import { changedDevices } from '../output/assignable-schema.js';
import { dryRunOption, formatPlan } from '../output/plan.js';
import type { Verb } from '../verb.js';

export const assignableAdd: Verb = {
  name: 'assignable add',
  summary: 'take devices from their drivers and put them into quarantine, ready for a guest',
  arguments: [{ name: 'BDF', description: 'address such as 0000:03:00.0 or 03:00.0', variadic: true }],
  options: [dryRunOption],
  examples: [
    ['xenpt assignable add 03:00.0 03:00.1', 'xl pci-assignable-remove -r can undo it too'],
    ['xenpt assignable add 03:00.0 -N', 'what would be written where'],
  ],
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
  run: async (context, devices, options) => {
    const { host, signal } = context;
    const dryRun = options['dryRun'] === true;
    const added = await eachDevice(context, devices, (device) => addAssignable(host, device, { signal, dryRun }));
    const plans = added.flatMap(({ plan }) => plan ?? []);
    return {
      json: { dryRun, devices: added },
      text: dryRun ? formatPlan(plans) : added.map(describeAdded).join('\n'),
    };
  },
};

function describeAdded({ sbdf, driver, already, transaction }: AssignableAdded): string {
  if (already) return `${sbdf} was assignable already`;
  const from = driver === null ? 'it had no driver' : `its driver was ${driver.split('/').pop() ?? ''}`;
  return `${sbdf} is assignable; ${from}; undo with: xenpt undo ${Number(transaction)}`;
}
