import { className, type DumpedFunction, formatSbdf, imageOfDump, parseConfigDump } from '@xenpt/pci';
import { guestView as viewGuest, guestViewOf, type GuestViewReport, parseBdf } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { nearest } from '@xenpt/pci/grammar';
import { formatDenied, formatGuestView, formatPlacement } from '../output/guest-view.js';
import type { Style } from '../output/style.js';
import { formatTable } from '../output/table.js';
import { columnsOf } from '../output/wrap.js';
import { UsageError } from '../usage-error.js';
import type { Verb, VerbContext, VerbOutput } from '../verb.js';
import { viewed } from '../output/guest-schema.js';

/** A host has 65536 functions at most; nobody has a file of a hundredth of them. */
const MOST_FILE_BYTES = 64 * 1024 * 1024;
const HEADER_BYTES = 64;
const MOST_MSI_VECTORS = 32;

export const guestView: Verb = {
  name: 'guest-view',
  summary: 'show what a guest sees of a device beside what the host has, register by register and bit by bit',
  arguments: [
    {
      name: '[DOMAIN] BDF',
      description: 'address such as 03:00.0; before it the guest, where it has to be that one',
      variadic: true,
      optional: true,
    },
  ],
  options: [
    {
      flags: '--from <FILE>',
      description: 'what a guest would see of a function in a file: lspci -xxxx, or its bytes; - is standard input',
    },
    { flags: '--denied', description: 'only the registers that the guest tried to change and may not' },
  ],
  examples: [
    ['xenpt guest-view 03:00.0', 'a star marks what differs'],
    ['xenpt guest-view 03:00.0 --denied', 'what a driver that does not work may have needed'],
    ['xenpt guest-view --from host.txt 03:00.0', 'of another machine: lspci -vnnxxxx > host.txt there'],
  ],
  schema: {},
  optionalSchema: viewed,
  exitCodes: [ExitCode.failed, ExitCode.notFound, ExitCode.timeout, ExitCode.noHypervisor],
  run: async (context, words, { from, denied }) => {
    const [device, domain, ...rest] = words.toReversed();
    if (rest.length > 0) throw new UsageError('too many words', 'Write: xenpt guest-view [DOMAIN] BDF');
    if (typeof from === 'string') return viewFile(context, from, { device, domain, denied: denied === true });
    if (device === undefined) {
      throw new UsageError('a device is missing', 'Name it, as in: xenpt guest-view 03:00.0; or --from a file.');
    }
    const report = await viewGuest(context.host, { device, ...(domain === undefined ? {} : { domain }) });
    return show(context, report, denied === true);
  },
};

function show(
  { style, io }: VerbContext,
  report: GuestViewReport,
  denied: boolean,
  notes: string[] = [],
): VerbOutput {
  const json = { view: report };
  if (!denied) {
    const placement = report.domid === null ? [] : formatPlacement(report, style);
    return { json, text: [formatGuestView(report, style, columnsOf(io.terminal)), ...placement].join('\n'), notes };
  }
  if (report.domid !== null) return { json, text: formatDenied(report, style), notes };
  throw new UsageError(
    `${report.sbdf ?? 'the function'} has no guest, so nothing was denied`,
    'Leave --denied out to see what a guest would get.',
  );
}

async function viewFile(
  context: VerbContext,
  path: string,
  asked: { readonly device?: string | undefined; readonly domain?: string | undefined; readonly denied: boolean },
): Promise<VerbOutput> {
  if (asked.domain !== undefined) {
    throw new UsageError(`a file has no domain "${asked.domain}"`, 'Write: xenpt guest-view --from FILE [BDF]');
  }
  const functions = parseConfigDump(await context.io.readFile(path, MOST_FILE_BYTES));
  const [first] = functions;
  const chosen = asked.device === undefined ? first : choose(functions, asked.device, path);
  if (chosen === undefined || (asked.device === undefined && functions.length > 1)) {
    return list(functions, context.style, path);
  }
  const { image, assumed } = imageOfDump(chosen);
  const view = guestViewOf(image, { functionReset: true, msiVectorLimit: MOST_MSI_VECTORS });
  const report = { ...view, sbdf: chosen.sbdf === null ? null : formatSbdf(chosen.sbdf) };
  return show(context, report, asked.denied, fileNotes(report, chosen, assumed));
}

function choose(functions: readonly DumpedFunction[], device: string, path: string): DumpedFunction {
  const wanted = formatSbdf(parseBdf(device));
  const named = functions.filter(({ sbdf }) => sbdf !== null);
  // The bytes alone: whoever names a function says which one it is.
  const [only] = functions;
  if (named.length === 0 && functions.length === 1 && only !== undefined) return { ...only, sbdf: parseBdf(device) };
  const nameOf = ({ sbdf }: DumpedFunction) => (sbdf === null ? '' : formatSbdf(sbdf));
  const found = named.find((one) => nameOf(one) === wanted);
  if (found !== undefined) return found;
  const near = nearest(wanted, named.map(nameOf));
  const next =
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `See what it has: xenpt guest-view --from ${path}`;
  throw new UsageError(`${path} has no function ${wanted}`, next);
}

function list(functions: readonly DumpedFunction[], style: Style, path: string): VerbOutput {
  const rows = functions.map(({ sbdf, title, config }) => ({
    sbdf: sbdf === null ? null : formatSbdf(sbdf),
    title: title === '' ? classOf(config) : title,
    sizeBytes: config.length,
  }));
  const table = formatTable(
    style,
    ['ADDRESS', 'BYTES', 'DEVICE'],
    rows.map(({ sbdf, title, sizeBytes }) => [sbdf ?? '-', sizeBytes === 0 ? '-' : String(sizeBytes), title]),
  );
  return { json: { functions: rows }, text: table, notes: [`Choose one: xenpt guest-view --from ${path} BDF`] };
}

function classOf(config: Uint8Array): string {
  return config.length < HEADER_BYTES ? '' : className((config[0x0b] ?? 0) * 0x10000 + (config[0x0a] ?? 0) * 0x100);
}

function fileNotes({ registers }: GuestViewReport, { config }: DumpedFunction, assumed: readonly number[]): string[] {
  const resets = registers.some(({ fields }) => fields.some(isResetOffered));
  const bars = assumed.map((index) => (index === 6 ? 'the ROM' : `BAR ${index}`)).join(', ');
  return [
    ...(config.length > HEADER_BYTES ? [] : ['The file has the header only; as root lspci -xxxx writes the rest.']),
    ...(bars === ''
      ? []
      : [`The file does not tell the size of ${bars}: taken as large as the address allows; lspci -vxxxx tells it.`]),
    ...(resets ? ['A reset is offered as on a host that can carry it out.'] : []),
  ];
}

function isResetOffered({ name, value }: { readonly name: string; readonly value: number }): boolean {
  return name === 'functionLevelReset' && value === 1;
}
