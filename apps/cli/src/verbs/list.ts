import { type Inventory, listInventory, restartNotes, stoppedModels } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { formatColumns } from '../output/columns.js';
import {
  describeFunction,
  describeGroup,
  describeOwner,
  describeVerdict,
  functionJson,
  paintVerdict,
} from '../output/function.js';
import type { Style } from '../output/style.js';
import type { Verb } from '../verb.js';
import { listedFunctions } from '../output/inventory-schema.js';

const resetTexts = { safe: 'safe', 'same-guest': 'same guest', 'host-reboot': 'reboot' } as const;

export const list: Verb = {
  name: 'list',
  summary: 'list the PCI functions of this host, who has them, and which can be given to a guest',
  arguments: [],
  sysroot: true,
  examples: [
    ['xenpt list', 'every function with its driver, group, owner and verdict'],
    ['xenpt list --sysroot /tmp/captured', 'the functions of a captured tree'],
  ],
  schema: listedFunctions,
  exitCodes: [ExitCode.failed, ExitCode.notFound],
  run: ({ host, style, io }, _words, { sysroot, json }) => {
    const inventory = listInventory(host, { brief: !json });
    // Of a captured tree nothing runs here.
    const here = sysroot === undefined ? [...stoppedModels(host), ...restartNotes(host)] : [];
    const notes = [...inventory.notes, ...here];
    return {
      get json() {
        return { functions: inventory.functions.map(functionJson), notes };
      },
      get text() {
        return toText(inventory, style, io.terminal?.columns);
      },
      notes,
    };
  },
};

function toText({ functions }: Inventory, style: Style, width: number | undefined): string {
  const columns = [
    { title: 'ADDRESS', paint: style.strong },
    { title: 'DEVICE', elastic: true },
    { title: 'DRIVER' },
    { title: 'GROUP' },
    { title: 'RESET' },
    { title: 'OWNER' },
    {
      title: 'ASSIGNABLE',
      elastic: true,
      paint: (text: string, row: number) => paintVerdict(style, functions[row]?.verdict ?? 'not-assignable')(text),
    },
  ];
  const rows = functions.map((entry) => [
    entry.address,
    describeFunction(entry),
    entry.driver ?? '-',
    describeGroup(entry),
    resetTexts[entry.reset.grade],
    // Whether there is a driver stands in the column of drivers.
    entry.owner.kind === 'host' ? 'host' : describeOwner(entry.owner),
    describeVerdict(entry),
  ]);
  return formatColumns(style, columns, rows, width);
}
