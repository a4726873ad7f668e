import { formatSbdf } from '@xenpt/pci';
import { type FunctionDetails, showFunction } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { formatCapabilities } from '../output/capabilities.js';
import { describeFunction, describeOwner, functionJson } from '../output/function.js';
import { hex } from '../output/json.js';
import type { Style } from '../output/style.js';
import { formatTable } from '../output/table.js';
import { columnsOf } from '../output/wrap.js';
import type { Verb } from '../verb.js';

export const show: Verb = {
  name: 'show',
  summary: 'show one function: owner, resources, how it can be reset, registers',
  arguments: [{ name: 'BDF', description: 'address such as 0000:03:00.0 or 03:00.0' }],
  sysroot: true,
  examples: [['xenpt show 03:00.0', 'as root, for the capabilities too']],
  exitCodes: [ExitCode.failed, ExitCode.notFound],
  run: ({ host, style, io }, [bdf = '']) => {
    const details = showFunction(host, bdf);
    return {
      json: { function: toJson(details), notes: details.notes },
      text: toText(details, style, columnsOf(io.terminal)),
      notes: details.notes,
    };
  },
};

function toJson(details: FunctionDetails) {
  const { subsystemVendorId, subsystemDeviceId, revision, irq, numaNode, iommuGroup, resources, resetMethods } =
    details;
  return {
    ...functionJson(details),
    subsystemVendorId: hex(subsystemVendorId, 4),
    subsystemDeviceId: hex(subsystemDeviceId, 4),
    revision: hex(revision, 2),
    irq,
    numaNode,
    iommuGroup,
    hasReset: details.hasReset,
    resetMethods,
    resources,
    registers: details.registers,
    hidden: details.hidden,
    capabilities: details.capabilities,
  };
}

function toText(details: FunctionDetails, style: Style, columns: number): string {
  const facts = [
    ['Owner', describeOwner(details.owner)],
    ['Driver', details.driver ?? 'none'],
    ['Subsystem', `${hex(details.subsystemVendorId, 4)}:${hex(details.subsystemDeviceId, 4)}`],
    ['Interrupt', details.irq === 0 ? 'none' : String(details.irq)],
    ['Reset', details.resetMethods.join(', ') || (details.hasReset ? 'yes' : 'the kernel cannot reset it alone')],
  ];
  const resources = details.resources.map(({ index, kind, start, sizeBytes }) => [
    index === 6 ? 'ROM' : `BAR ${index}`,
    kind,
    `0x${start.toString(16)}`,
    `0x${sizeBytes.toString(16)}`,
  ]);
  const header = details.registers
    .filter(({ group }) => group === 'Header')
    .map(({ offset, width, name, value }) => [hex(offset, 2), name, hex(value, width * 2)]);
  const capabilities = formatCapabilities(details.capabilities, style, columns);
  return [
    `${style.strong(formatSbdf(details.sbdf))}  ${describeFunction(details)}`,
    ...facts.map(([name = '', value = '']) => `  ${`${name}:`.padEnd(11)} ${value}`),
    ...section(style, ['RESOURCE', 'KIND', 'START', 'SIZE'], resources),
    ...section(style, ['OFFSET', 'HEADER', 'VALUE'], header),
    ...(capabilities === '' ? [] : ['', capabilities]),
  ].join('\n');
}

function section(style: Style, head: string[], rows: string[][]): string[] {
  return rows.length === 0 ? [] : ['', formatTable(style, head, rows)];
}
