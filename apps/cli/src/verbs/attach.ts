import { maxRomBytes } from '@xenpt/pci';
import {
  type Attached,
  attach as attachDevice,
  type AttachCheck,
  type AttachOptions,
  checkAttach,
  type DeviceOptions,
  Rehearsal,
  type ServingModel,
} from '@xenpt/qmp-sdk/xen';
import { asks, confirm, yesOption } from '../confirm.js';
import { eachDevice, expandSpecs } from '../each-device.js';
import { ExitCode } from '../exit-code.js';
import { FILE_ERROR } from '../input-file.js';
import { nearest } from '@xenpt/pci/grammar';
import { openedRows } from '../output/guest-view.js';
import { formatSetAside, overrideOptions, readOverrides } from '../output/overrides.js';
import { dryRunOption, formatPlan } from '../output/plan.js';
import { UsageError } from '../usage-error.js';
import type { Verb, VerbContext, VerbOptionValues, VerbOutput } from '../verb.js';
import { attachedDevices } from '../output/guest-schema.js';

export const attach: Verb = {
  name: 'attach',
  summary: 'give a device to an HVM guest, paused or running',
  arguments: [
    { name: 'DOMAIN', description: 'id or name, as in xl list' },
    {
      name: 'BDF[@VSLOT][,KEY=VALUE]',
      description:
        'address (03:00.*: all its functions), the slot in the guest (hexadecimal; default: first free from 5), ' +
        'and permissive=, seize= or rdm_policy= as in xl-pci-configuration(5)',
      variadic: true,
    },
  ],
  options: [
    ...overrideOptions,
    {
      flags: '--permissive',
      description: 'let the guest write every byte of config space that no register describes',
    },
    {
      flags: '--allow <FIELD>',
      description: 'let it write one such field, GROUP@OFFSET+BYTE:MASK; may be repeated',
      repeatable: true,
    },
    {
      flags: '--rom <on|off|FILE>',
      description: 'its expansion ROM: a copy of the device’s, none, or a file (default: one that reads all ones)',
    },
    dryRunOption,
    { flags: '--model <xenpt|qemu>', description: 'what serves it: ours, or the guest’s QEMU', default: 'xenpt' },
    yesOption,
  ],
  examples: [
    ['xenpt attach web 03:00.0', 'to the first free slot'],
    ['xenpt attach 5 0000:03:00.0@a', 'to slot 0a of domain 5'],
    ['xenpt attach web 03:00.0 -N', 'what would be written where; nothing is'],
    ['xenpt attach web 03:00.0 --rom card.rom', 'with a boot ROM from a file'],
    ['xenpt attach web 03:00.0,seize=1 04:00.*', 'several, one after the other; the first is taken from its driver'],
    ['xenpt attach web 03:00.0 --model qemu', 'as xl pci-attach does it, with each step checked and undone'],
    ["xenpt attach web 03:00.0 --allow 'vendor-specific@0x90+4:0xff'", 'as guest-view --denied names it'],
  ],
  schema: attachedDevices,
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
  run: async (context, [domain = '', ...specs], options) => {
    const deviceOptions = await readDeviceOptions(context, options);
    const { host, io, signal, onStep, style } = context;
    const model = modelOf(options);
    const common = { domain, model, signal, onStep, overrides: readOverrides(options), ...deviceOptions };
    const each = expandSpecs(context, specs).map((spec): AttachOptions => ({ ...common, spec }));
    if (options['dryRun'] === true) return rehearse(context, each);
    if (common.overrides.length > 0 && asks(io, options)) await confirm(io, options, await risksOf(context, each));
    const devices = await eachDevice(context, each, (one) => attachDevice(host, one));
    return {
      json: { dryRun: false, attached: devices[0], devices, plans: [] },
      text: devices.map(toText).join('\n'),
      notes: devices.flatMap((attached) => [
        ...formatSetAside(attached.sbdf, attached.setAside, style),
        ...attached.warnings,
        ...rescanNote(attached),
      ]),
    };
  },
};

async function rehearse({ host, style }: VerbContext, each: readonly AttachOptions[]): Promise<VerbOutput> {
  const rehearsal = new Rehearsal(host);
  const checks: AttachCheck[] = [];
  for (const one of each) checks.push(await checkAttach(host, one, rehearsal));
  const plans = checks.map(({ plan }) => plan);
  return {
    json: { dryRun: true, attached: null, devices: [], plans },
    text: formatPlan(plans),
    notes: checks.flatMap(({ sbdf, setAside, warnings }) => [...formatSetAside(sbdf, setAside, style), ...warnings]),
  };
}

const models: readonly ServingModel[] = ['xenpt', 'qemu'];

function modelOf({ model = 'xenpt' }: VerbOptionValues): ServingModel {
  const found = models.find((name) => name === model);
  if (found !== undefined) return found;
  throw new UsageError(`--model ${String(model)}`, `The models are ${models.join(' and ')}.`);
}

/** What the overrides of this command line set aside. */
async function risksOf({ host, style }: VerbContext, each: readonly AttachOptions[]): Promise<string[]> {
  const risks: string[] = [];
  for (const options of each) {
    const { sbdf, setAside } = await checkAttach(host, options);
    const given = setAside.filter(({ override }) => options.overrides?.includes(override));
    risks.push(...formatSetAside(sbdf, given, style));
  }
  return risks;
}

async function readDeviceOptions(context: VerbContext, options: VerbOptionValues): Promise<DeviceOptions> {
  const { permissive, allow, rom } = options;
  return {
    permissive: permissive === true,
    ...(Array.isArray(allow) ? { allow } : {}),
    ...(typeof rom === 'string' ? { rom: await readRom(context, rom) } : {}),
  };
}

async function readRom({ io }: VerbContext, rom: string): Promise<'on' | 'off' | Uint8Array> {
  if (rom === 'on' || rom === 'off') return rom;
  try {
    return await io.readFile(rom, maxRomBytes);
  } catch (cause) {
    const meant = nearest(rom, ['on', 'off']);
    if (meant.length === 0 || (cause as { code?: unknown }).code !== FILE_ERROR) throw cause;
    const words = meant.map((word) => `--rom ${word}`).join(' or ');
    throw new UsageError(`--rom ${rom}: there is no such file`, `Did you mean ${words}?`);
  }
}

function toText({ sbdf, domid, domainName, guestSbdf, vectors, pirq, hidden, opened }: Attached): string {
  if (vectors === null) return `${sbdf} is attached to domain ${domid} (${domainName}) as ${guestSbdf}, by its QEMU`;
  const interrupts = vectors > 0 ? `${vectors} message vectors` : pirq === null ? 'no interrupt' : 'a line interrupt';
  const lines = [`${sbdf} is attached to domain ${domid} (${domainName}) as ${guestSbdf}, with ${interrupts}`];
  for (const { name, reason } of hidden) lines.push(`  hidden from the guest: ${name}: ${reason}`);
  // What stands as it always does needs no words.
  const isUsual = opened === undefined || (!opened.permissive && opened.allow.length === 0 && opened.rom === 'blank');
  const rows = opened === undefined || isUsual ? [] : openedRows(opened);
  for (const [name = '', value = ''] of rows) lines.push(`  ${`${name}:`.padEnd(11)} ${value}`);
  return lines.join('\n');
}

/** The firmware of a paused guest will find the device by itself; a running system is told by ACPI, if it can be. */
function rescanNote({ running, announced, domid }: Attached): string[] {
  if (!running || announced) return [];
  return [
    `Domain ${domid} is running, so its system has to look for the device. In Linux: echo 1 > /sys/bus/pci/rescan`,
  ];
}
