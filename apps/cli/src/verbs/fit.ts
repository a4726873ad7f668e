import { emulatedBars, emulatedDisplayAndNetwork, fitDevices, type FitReport } from '@xenpt/pci';
import { listInventory, parsePassthroughSpec, XenErrorCode, XenOperationError } from '@xenpt/qmp-sdk/xen';
import { formatSbdf } from '@xenpt/pci';
import { ExitCode } from '../exit-code.js';
import { formatColumns } from '../output/columns.js';
import { describeSize } from '../output/function.js';
import type { Style } from '../output/style.js';
import { UsageError } from '../usage-error.js';
import type { Verb } from '../verb.js';
import { fitReport } from '../output/inventory-schema.js';

const DEFAULT_MEMORY_MIB = 4096;
/** Xen's limit for an HVM guest on x86 (SUPPORT.md); what is more is a typing error. */
const MEMORY_MIB_MAX = 16 * 1024 * 1024;

export const fit: Verb = {
  name: 'fit',
  summary: 'say where the registers of devices land in a guest, and the mmio_hole= that they need',
  arguments: [{ name: 'BDF[@VSLOT]', description: 'devices of the guest, in its order', variadic: true }],
  options: [
    { flags: '--memory <MIB>', description: 'memory= of the guest', default: String(DEFAULT_MEMORY_MIB) },
    { flags: '--mmio-hole <MIB>', description: 'mmio_hole= of the guest; left out: none' },
    { flags: '--headless', description: 'the guest has no emulated display and no emulated network card' },
  ],
  sysroot: true,
  examples: [['xenpt fit 03:00.0 --memory 8192', 'before the guest is started']],
  schema: fitReport,
  exitCodes: [ExitCode.failed, ExitCode.notFound],
  run: ({ host, style }, specs, options) => {
    const memoryMib = readMib('--memory', options['memory'], MEMORY_MIB_MAX) ?? DEFAULT_MEMORY_MIB;
    const mmioHoleMib = readMib('--mmio-hole', options['mmioHole'], 3840);
    const { functions, notes } = listInventory(host);
    const devices = specs.map((text) => {
      const { sbdf, slot } = parsePassthroughSpec(text);
      const found = functions.find(({ address }) => address === formatSbdf(sbdf));
      if (found === undefined) throw absent(formatSbdf(sbdf));
      return { resources: found.resources, ...(slot === undefined ? {} : { guestDevfn: slot << 3 }) };
    });
    const emulated = options['headless'] === true ? emulatedBars : [...emulatedBars, ...emulatedDisplayAndNetwork];
    const report = fitDevices(devices, { memoryMib, mmioHoleMib }, emulated);
    const { placement, neededHoleMib } = report;
    return {
      json: { fit: { memoryMib, mmioHoleMib, neededHoleMib, ...placement } },
      text: toText(report, style),
      notes,
    };
  },
};

function readMib(name: string, value: unknown, max: number): number | null {
  if (typeof value !== 'string') return null;
  const number = /^[0-9]{1,8}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= 1 && number <= max) return number;
  throw new UsageError(
    `${name} ${value}: must be a whole number of MiB from 1 to ${max}`,
    'For example --memory 4096.',
  );
}

function absent(address: string): XenOperationError {
  return new XenOperationError(XenErrorCode.noSuchDevice, `there is no PCI device ${address} on this host`, {
    next: 'See `xenpt list` for the devices there are.',
  });
}

function toText({ placement, below4Gib, neededHoleMib }: FitReport, style: Style): string {
  const columns = [
    { title: 'GUEST', paint: style.strong },
    { title: 'BAR' },
    { title: 'SIZE' },
    { title: 'ADDRESS' },
  ];
  const rows = placement.bars.map(({ guestDevfn, index, sizeBytes, address }) => [
    formatSbdf({ segment: 0, bus: 0, device: guestDevfn >> 3, function: guestDevfn & 7 }),
    index === 6 ? 'ROM' : String(index),
    describeSize(sizeBytes),
    address === null ? 'no space' : `0x${address.toString(16)}`,
  ]);
  const hole = `hole below 4 GiB: 0x${placement.holeStart.toString(16)} to 0x${placement.holeEnd.toString(16)}`;
  const advice = below4Gib
    ? 'everything fits; no mmio_hole= is needed beyond what is set'
    : neededHoleMib === null
      ? 'no mmio_hole= gives everything a place below 4 GiB'
      : `mmio_hole=${neededHoleMib}`;
  return `${formatColumns(style, columns, rows)}\n\n${hole}\n${advice}`;
}
