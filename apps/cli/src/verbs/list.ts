import { formatSbdf } from '@xenpt/pci';
import { listInventory } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { describeFunction, describeOwner, functionJson } from '../output/function.js';
import { formatTable } from '../output/table.js';
import type { Verb } from '../verb.js';

export const list: Verb = {
  name: 'list',
  summary: 'list the PCI functions of this host and who has them',
  arguments: [],
  sysroot: true,
  examples: [
    ['xenpt list', 'every function with its driver and owner'],
    ['xenpt list --sysroot /tmp/captured', 'the functions of a captured tree'],
  ],
  exitCodes: [ExitCode.failed],
  run: ({ host, style }) => {
    const { functions, notes } = listInventory(host);
    const rows = functions.map((entry) => [
      formatSbdf(entry.sbdf),
      describeFunction(entry),
      entry.driver ?? '-',
      describeOwner(entry.owner),
    ]);
    return {
      json: { functions: functions.map(functionJson), notes },
      text: formatTable(style, ['ADDRESS', 'DEVICE', 'DRIVER', 'OWNER'], rows),
      notes,
    };
  },
};
