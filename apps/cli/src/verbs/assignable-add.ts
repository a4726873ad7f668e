import { addAssignable } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import type { Verb } from '../verb.js';
import { eachDevice } from '../each-device.js';

export const assignableAdd: Verb = {
  name: 'assignable add',
  summary: 'take devices from their drivers and put them into quarantine, ready for a guest',
  arguments: [{ name: 'BDF', description: 'address such as 0000:03:00.0 or 03:00.0', variadic: true }],
  examples: [['xenpt assignable add 03:00.0 03:00.1', 'xl pci-assignable-remove -r can undo it too']],
  exitCodes: [
    ExitCode.failed,
    ExitCode.notFound,
    ExitCode.busy,
    ExitCode.rolledBack,
    ExitCode.manualRecovery,
    ExitCode.timeout,
    ExitCode.noHypervisor,
  ],
  run: async (context, devices) => {
    const { host, signal } = context;
    const added = await eachDevice(context, devices, (device) => addAssignable(host, device, { signal }));
    const lines = added.map(({ sbdf, driver, already }) => {
      if (already) return `${sbdf} was assignable already`;
      const from = driver === null ? 'it had no driver' : `its driver was ${driver.split('/').pop() ?? ''}`;
      return `${sbdf} is assignable; ${from}`;
    });
    return { json: { devices: added }, text: lines.join('\n') };
  },
};
