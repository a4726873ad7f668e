import type { Finding } from '@xenpt/pci';
import { type FunctionDetails, restartNotes, showFunction } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { formatCapabilities } from '../output/capabilities.js';
import {
  describeFunction,
  describeLink,
  describeOwner,
  describeRegion,
  describeSize,
  describeVerdict,
  functionJson,
  paintVerdict,
} from '../output/function.js';
import { hex } from '../output/json.js';
import type { Style } from '../output/style.js';
import { formatTable } from '../output/table.js';
import { columnsOf } from '../output/wrap.js';
import type { Verb } from '../verb.js';
import { shownFunction } from '../output/inventory-schema.js';

export const show: Verb = {
  name: 'show',
  summary: 'show one function: identity, owner, verdict with reasons, resources, reset, registers',
  arguments: [{ name: 'BDF', description: 'address such as 0000:03:00.0 or 03:00.0' }],
  sysroot: true,
  examples: [['xenpt show 03:00.0', 'as root, for the capabilities too']],
  schema: shownFunction,
  exitCodes: [ExitCode.failed, ExitCode.notFound],
  run: ({ host, style, io }, [bdf = '']) => {
    const details = showFunction(host, bdf);
    const notes = [...details.notes, ...restartNotes(host).filter((note) => note.startsWith(details.address))];
    return {
      json: { function: toJson(details), notes },
      text: toText(details, style, columnsOf(io.terminal)),
      notes,
    };
  },
};

function toJson(details: FunctionDetails) {
  const { subsystemVendorId, subsystemDeviceId, revision, irq, iommuGroup, resources, resetMethods } = details;
  return {
    ...functionJson(details),
    subsystemVendorId: hex(subsystemVendorId, 4),
    subsystemDeviceId: hex(subsystemDeviceId, 4),
    revision: hex(revision, 2),
    irq,
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
  const resources = details.resources.map(({ index, kind, start, sizeBytes, is64Bit, prefetchable }) => [
    index === 6 ? 'ROM' : `BAR ${index}`,
    `${kind}${is64Bit ? ', 64 bits' : ''}${prefetchable ? ', prefetchable' : ''}`,
    `0x${start.toString(16)}`,
    `0x${sizeBytes.toString(16)}`,
    describeSize(sizeBytes),
  ]);
  const header = details.registers
    .filter(({ group }) => group === 'Header')
    .map(({ offset, width, name, value }) => [hex(offset, 2), name, hex(value, width * 2)]);
  const capabilities = formatCapabilities(details.capabilities, style, columns);
  return [
    `${style.strong(details.address)}  ${describeFunction(details)}`,
    ...factsOf(details).map(([name, value]) => `  ${`${name}:`.padEnd(12)} ${value}`),
    `  ${'Assignable:'.padEnd(12)} ${paintVerdict(style, details.verdict)(describeVerdict(details))}`,
    ...details.findings.flatMap((finding) => findingLines(finding, style)),
    ...section(style, ['RESOURCE', 'KIND', 'START', 'SIZE', ''], resources),
    ...section(style, ['OFFSET', 'HEADER', 'VALUE'], header),
    ...(capabilities === '' ? [] : ['', capabilities]),
  ].join('\n');
}

function factsOf(details: FunctionDetails): (readonly [string, string])[] {
  const { identity, reset, groups, reservedRegions, virtualFunctions, numaNode, subsystemName } = details;
  const ids = `[${hex(details.subsystemVendorId, 4).slice(2)}:${hex(details.subsystemDeviceId, 4).slice(2)}]`;
  const optional: (readonly [string, string | null])[] = [
    ['Subsystem', [subsystemName, ids].filter((part) => part !== null).join(' ')],
    ['Path', identity.path],
    ['Slot', identity.slotLabel],
    ['Serial', identity.serialNumber],
    ['Owner', describeOwner(details.owner)],
    ['Wanted by', details.wantedBy.join(', ') || null],
    ['Driver', details.driver ?? 'none'],
    ['Interrupt', details.irq === 0 ? 'none' : String(details.irq)],
    ['Vectors', describeVectors(details)],
    ['IRQ budget', describeBudget(details)],
    ['Link', details.link === null ? null : describeLink(details.link)],
    ['Power', details.powerState],
    ['NUMA node', numaNode < 0 ? null : String(numaNode)],
    ['Reset', `${reset.methods.join(', ') || 'no method'}: ${gradeTexts[reset.grade]} (${reset.reason})`],
    ['Group', groups.kernel === null ? null : `${groups.kernel.join(' ')} (kernel)`],
    ['Xen group', groups.xen?.join(' ') ?? null],
    ['ACS group', groups.acs?.join(' ') ?? null],
    ['Reserved', reservedRegions.map(describeRegion).join(', ') || null],
    ['SR-IOV', virtualFunctions === null ? null : describeVirtualFunctions(virtualFunctions)],
  ];
  return optional.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}

const gradeTexts = {
  safe: 'safe to reuse',
  'same-guest': 'reuse by the same guest only',
  'host-reboot': 'needs a restart of the host between guests',
} as const;

function describeVectors({ interrupts: { msi, msix } }: FunctionDetails): string | null {
  const parts = [
    ...(msix === null
      ? []
      : [
          `MSI-X ${msix.vectorCount}, table in BAR ${msix.tableBarIndex} at 0x${msix.tableOffset.toString(16)}, ` +
            `pending bits in BAR ${msix.pbaBarIndex} at 0x${msix.pbaOffset.toString(16)}` +
            (msix.sharesPage ? ', shares its page with registers' : ''),
        ]),
    ...(msi === null ? [] : [`MSI ${msi.vectorCount}${msi.maskable ? ', maskable' : ''}`]),
  ];
  return parts.join('; ') || null;
}

function describeBudget({ interruptBudget: { vectors, budget, source } }: FunctionDetails): string | null {
  return vectors === 0 ? null : `${vectors} of the ${budget} pirqs that a guest has for all its devices (${source})`;
}

function describeVirtualFunctions(role: NonNullable<FunctionDetails['virtualFunctions']>): string {
  if (role.kind === 'virtual') return `virtual function of ${role.physicalFunction}`;
  return `${role.enabled.length} of ${role.total} virtual functions switched on ${role.enabled.join(' ')}`.trimEnd();
}

function findingLines({ effect, rule, message, evidence, fix }: Finding, style: Style): string[] {
  const paint = effect === 'blocks' ? style.error : effect === 'warns' ? style.warning : style.faint;
  return [
    `    ${paint(rule)}  ${message}`,
    ...evidence.map((line) => `      ${style.faint(line)}`),
    ...(fix === null ? [] : [`      fix: ${fix}`]),
  ];
}

function section(style: Style, head: string[], rows: string[][]): string[] {
  return rows.length === 0 ? [] : ['', formatTable(style, head, rows)];
}
