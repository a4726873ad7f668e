import {
  address,
  flag,
  integer,
  integerOrNull,
  type JsonSchema,
  list,
  nullable,
  object,
  oneOf,
  reason,
  text,
  textOrNull,
} from '../json-schema.js';
import { plan } from './assignable-schema.js';

const options = { permissive: flag, rdmPolicy: oneOf('strict', 'relaxed') } as const;

const attached = object({
  domid: integer,
  domainName: text,
  sbdf: address,
  guestSbdf: address,
  guestDevfn: integer,
  model: oneOf('xenpt', 'qemu'),
  options: object({ ...options, seized: flag }),
  running: flag,
  announced: flag,
  modelStarted: flag,
  pirq: integerOrNull,
  hidden: list(object({ name: text, reason: text })),
  vectors: { ...integerOrNull, description: 'null: QEMU does not tell.' },
  setAside: list(reason),
  warnings: list(text),
});

const detached = object({
  domid: integer,
  domainName: text,
  sbdf: address,
  complete: { ...flag, description: 'false: it stays reserved until the domain is destroyed.' },
  modelStopped: flag,
  notes: list(text),
});

const plans: JsonSchema = { ...list(plan), description: 'Of a dry run: what would be written where.' };

/** `03:00.*` is several. */
export const attachedDevices = {
  dryRun: flag,
  attached: { ...nullable(attached), description: 'The first of devices; null for a dry run.' },
  devices: list(attached),
  plans,
} as const;
export const detachedDevices = {
  dryRun: flag,
  detached: { ...nullable(detached), description: 'The first of devices; null for a dry run.' },
  devices: list(detached),
  plans,
} as const;

const connected: JsonSchema = { type: ['boolean', 'null'], description: 'null: nobody can tell.' };

export const guestDevices = {
  domid: integer,
  domainName: text,
  domainType: text,
  disks: list(
    object({
      kind: oneOf('emulated', 'paravirtual'),
      name: text,
      source: text,
      format: text,
      sizeBytes: integerOrNull,
      readOnly: flag,
      cdrom: flag,
      connected,
    }),
  ),
  nics: list(
    object({ kind: oneOf('emulated', 'paravirtual'), name: text, model: text, mac: text, network: text, connected }),
  ),
  displays: list(object({ kind: text, name: text, details: text })),
  passedThrough: list(
    object({
      sbdf: address,
      guestSbdf: nullable(address),
      model: oneOf('qemu', 'xenpt', 'pciback'),
      options: object(options),
    }),
  ),
  notes: list(text),
} as const;

const view = object({
  domid: { ...integerOrNull, description: 'null: what a guest would see.' },
  domainName: textOrNull,
  sbdf: nullable(address),
  guestSbdf: nullable(address),
  registers: list(
    object({ offset: integer, width: integer, group: text, name: text, host: integer, guest: integer, bits: text }),
  ),
  areas: list(object({ offset: integer, sizeBytes: integer, group: text })),
  hidden: list(object({ name: text, reason: text })),
  bars: list(object({ index: integer, mapped: flag })),
  vectors: list(object({ index: integer, bound: flag, pirq: integerOrNull, masked: flag })),
  denied: list(object({})),
});

/** One of them: a file of several functions lists them first. */
export const viewed = {
  view,
  functions: list(object({ sbdf: nullable(address), title: text, sizeBytes: integer })),
} as const;
