import { listAssignable } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { address, flag, list, object, text, textOrNull } from '../json-schema.js';
import { formatTable } from '../output/table.js';
import type { Verb } from '../verb.js';

export const assignableList: Verb = {
  name: 'assignable list',
  summary: 'list the devices that a guest can be given, as xl pci-assignable-list does',
  arguments: [],
  examples: [['xenpt assignable list', 'and the driver that each came from']],
  schema: {
    devices: list(
      object({ sbdf: address, driver: textOrNull, name: textOrNull, overrides: list(text), persistent: flag }),
    ),
  },
  exitCodes: [ExitCode.failed, ExitCode.noHypervisor],
  run: ({ host, style }) => {
    const devices = listAssignable(host);
    const rows = devices.map(({ sbdf, driver, name, overrides, persistent }) => [
      sbdf,
      driver?.split('/').pop() ?? '-',
      name ?? '-',
      overrides.join(' ') || '-',
      persistent ? 'yes' : 'no',
    ]);
    return {
      json: { devices },
      text: formatTable(style, ['ADDRESS', 'FROM DRIVER', 'NAME', 'OVERRIDES', 'KEPT'], rows),
      notes: devices.length === 0 ? ['No device is assignable. Make one so with: xenpt assignable add BDF'] : [],
    };
  },
};
