import { type AssignableAdded, addAssignable, applyPersist, type PersistPlan, planPersist } from '@xenpt/qmp-sdk/xen';
import { confirm, yesOption } from '../confirm.js';
import { eachDevice, expandDevices } from '../each-device.js';
import { ExitCode } from '../exit-code.js';
import { addedDevices } from '../output/assignable-schema.js';
import { formatSetAside, overrideOptions, readOverrides } from '../output/overrides.js';
import { describeWritten, filesJson, formatFiles, persistedFiles, persistOption } from '../output/persist.js';
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
  options: [...overrideOptions, persistOption, dryRunOption, yesOption],
  examples: [
    ['xenpt assignable add 03:00.0 03:00.1', 'xl pci-assignable-remove -r can undo it too'],
    ['xenpt assignable add 03:00.* --accept-siblings', 'a whole card, although its group has more'],
    ['xenpt assignable add 03:00.0 --persist', 'after each restart too'],
    ['xenpt assignable add 03:00.0 -N', 'what would be written where'],
  ],
  schema: { ...addedDevices, ...persistedFiles },
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
    const { host, io, signal, onStep, style } = context;
    const devices = expandDevices(context, words);
    const overrides = readOverrides(options);
    const common = { signal, onStep, together: devices, overrides };
    // All of them are judged before the first is taken.
    const planned: AssignableAdded[] = [];
    for (const device of devices) planned.push(await addAssignable(host, device, { ...common, dryRun: true }));
    const used = overrides.filter((name) =>
      planned.some(({ setAside }) => setAside.some((one) => one.override === name)),
    );
    const kept =
      options['persist'] === true ? planPersist(host, devices, { command: io.command, overrides: used }) : nothing;
    const risks = planned.flatMap(({ sbdf, setAside }) => formatSetAside(sbdf, setAside, style));
    if (options['dryRun'] === true) {
      const plans = planned.flatMap(({ plan }) => plan ?? []);
      return {
        json: { dryRun: true, devices: planned, files: filesJson(kept) },
        text: [formatPlan(plans), ...formatFiles(kept)].join('\n'),
        notes: [...risks, ...kept.notes],
      };
    }
    await confirm(io, options, [...risks, ...formatFiles(kept)]);
    const added = await eachDevice(context, devices, (device) => addAssignable(host, device, common));
    applyPersist(host, kept);
    return {
      json: { dryRun: false, devices: added, files: filesJson(kept) },
      text: [...added.map(describeAdded), ...describeWritten(kept)].join('\n'),
      notes: kept.notes,
    };
  },
};

const nothing: PersistPlan = { files: [], notes: [] };

function describeAdded({ sbdf, driver, already, transaction }: AssignableAdded): string {
  if (already) return `${sbdf} was assignable already`;
  const from = driver === null ? 'it had no driver' : `its driver was ${driver.split('/').pop() ?? ''}`;
  return `${sbdf} is assignable; ${from}; undo with: xenpt undo ${Number(transaction)}`;
}
