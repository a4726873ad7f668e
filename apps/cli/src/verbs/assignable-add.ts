import { type AssignableAdded, addAssignable } from '@xenpt/qmp-sdk/xen';
import { confirm, yesOption } from '../confirm.js';
import { eachDevice, expandDevices } from '../each-device.js';
import { ExitCode } from '../exit-code.js';
import { addedDevices } from '../output/assignable-schema.js';
import { formatSetAside, overrideOptions, readOverrides } from '../output/overrides.js';
import { dryRunOption, formatPlan } from '../output/plan.js';
import type { Verb } from '../verb.js';

export const assignableAdd: Verb = {
  name: 'assignable add',
  summary: 'take devices from their drivers and put them into quarantine, ready for a guest',
  arguments: [
    {
      name: 'BDF',
      description: 'address such as 0000:03:00.0 or 03:00.0; 03:00.* is all its functions',
      variadic: true,
    },
  ],
  options: [...overrideOptions, dryRunOption, yesOption],
  examples: [
    ['xenpt assignable add 03:00.0 03:00.1', 'xl pci-assignable-remove -r can undo it too'],
    ['xenpt assignable add 03:00.* --accept-siblings', 'a whole card, although its group has more'],
    ['xenpt assignable add 03:00.0 -N', 'what would be written where'],
  ],
  schema: addedDevices,
  exitCodes: [
    ExitCode.failed,
    ExitCode.notFound,
    ExitCode.refused,
    ExitCode.busy,
    ExitCode.rolledBack,
    ExitCode.manualRecovery,
    ExitCode.timeout,
    ExitCode.noHypervisor,
  ],
  run: async (context, words, options) => {
    const { host, signal, onStep, style } = context;
    const devices = expandDevices(context, words);
    const common = { signal, onStep, together: devices, overrides: readOverrides(options) };
    // All of them are judged before the first is taken.
    const planned: AssignableAdded[] = [];
    for (const device of devices) planned.push(await addAssignable(host, device, { ...common, dryRun: true }));
    const risks = planned.flatMap(({ sbdf, setAside }) => formatSetAside(sbdf, setAside, style));
    if (options['dryRun'] === true) {
      const plans = planned.flatMap(({ plan }) => plan ?? []);
      return { json: { dryRun: true, devices: planned }, text: formatPlan(plans), notes: risks };
    }
    await confirm(context.io, options, risks);
    const added = await eachDevice(context, devices, (device) => addAssignable(host, device, common));
    return { json: { dryRun: false, devices: added }, text: added.map(describeAdded).join('\n') };
  },
};

function describeAdded({ sbdf, driver, already, transaction }: AssignableAdded): string {
  if (already) return `${sbdf} was assignable already`;
  const from = driver === null ? 'it had no driver' : `its driver was ${driver.split('/').pop() ?? ''}`;
  return `${sbdf} is assignable; ${from}; undo with: xenpt undo ${Number(transaction)}`;
}
