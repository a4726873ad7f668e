import {
  address,
  flag,
  hexText,
  integer,
  integerOrNull,
  type JsonSchema,
  list,
  nullable,
  number,
  object,
  oneOf,
  text,
  textOrNull,
} from '../json-schema.js';

const finding: JsonSchema = object({
  rule: { ...text, description: 'Stable; see xenpt explain.' },
  scope: oneOf('function', 'host', 'guest'),
  subject: text,
  severity: oneOf('error', 'warning', 'info'),
  effect: oneOf('blocks', 'warns', 'none'),
  message: text,
  evidence: list(text),
  fix: textOrNull,
});

const owner: JsonSchema = {
  description: 'A guest, quarantine, a driver of dom0, or not known.',
  ...object({ kind: oneOf('domain', 'assignable', 'host', 'unknown') }),
};

const addressesOrNull = nullable(list(address));

const functionFields: Readonly<Record<string, JsonSchema>> = {
  sbdf: address,
  vendorId: hexText,
  deviceId: hexText,
  classCode: hexText,
  className: text,
  vendorName: textOrNull,
  deviceName: textOrNull,
  driver: textOrNull,
  owner,
  wantedBy: { ...list(text), description: 'Guests whose configurations name it, running or not.' },
  parent: nullable(address),
  identity: object({ path: text, serialNumber: textOrNull, slotLabel: textOrNull }),
  reset: object({
    methods: list(text),
    grade: oneOf('safe', 'same-guest', 'host-reboot'),
    reason: text,
    busNeighbours: list(address),
  }),
  groups: object({ kernel: addressesOrNull, acs: addressesOrNull, xen: addressesOrNull }),
  interrupts: object({
    msi: nullable(object({ vectorCount: integer, maskable: flag, enabled: flag })),
    msix: nullable(
      object({
        vectorCount: integer,
        tableBarIndex: integer,
        tableOffset: integer,
        pbaBarIndex: integer,
        pbaOffset: integer,
        enabled: flag,
        sharesPage: flag,
      }),
    ),
  }),
  interruptBudget: object({ vectors: integer, budget: integer, source: text }),
  link: nullable(object({ speed: number, width: integer, maxSpeed: number, maxWidth: integer })),
  numaNode: { ...integer, description: '-1: none.' },
  powerState: oneOf('D0', 'D1', 'D2', 'D3hot', 'D3cold', null),
  virtualFunctions: nullable(object({ kind: oneOf('physical', 'virtual') })),
  reservedRegions: list(object({ start: hexText, end: hexText, source: oneOf('dmar', 'ivrs', 'kernel', 'xen') })),
  verdict: oneOf('assignable', 'with-warning', 'not-assignable'),
  findings: list(finding),
};

const notes: JsonSchema = { ...list(text), description: 'What could not be found out, and why.' };

export const listedFunctions = { functions: list(object(functionFields)), notes } as const;

const resource = object({
  index: { ...integer, description: '6 is the expansion ROM.' },
  kind: oneOf('memory', 'io', 'rom'),
  start: hexText,
  sizeBytes: hexText,
});

export const shownFunction = {
  function: object({
    ...functionFields,
    subsystemVendorId: hexText,
    subsystemDeviceId: hexText,
    revision: hexText,
    irq: integer,
    iommuGroup: integerOrNull,
    hasReset: flag,
    resetMethods: list(text),
    resources: list(resource),
    registers: list(object({ group: text, offset: integer, width: integer, name: text, value: integer })),
    hidden: list(object({ name: text, reason: text })),
    capabilities: object({ capabilities: list(object({ name: text, offset: integer })), faults: list(text) }),
  }),
  notes,
} as const;

export const diagnosis = {
  findings: list(finding),
  counts: object({ error: integer, warning: integer, info: integer }),
  notes,
} as const;

export const ruleText = object({
  id: text,
  scope: oneOf('function', 'host', 'guest'),
  title: text,
  cause: text,
  consequence: text,
  remedy: text,
});

export const fitReport = {
  fit: object({
    memoryMib: integer,
    mmioHoleMib: integerOrNull,
    neededHoleMib: { ...integerOrNull, description: 'null: no hole gives everything a place below 4 GiB.' },
    bars: list(
      object({
        guestDevfn: integer,
        index: integer,
        sizeBytes: hexText,
        address: { ...nullable(hexText), description: 'null: no space.' },
      }),
    ),
    holeStart: hexText,
    holeEnd: hexText,
  }),
} as const;

export const functionChange = {
  change: object({ address, before: nullable(object({ driver: textOrNull, owner })), after: nullable(object({})) }),
} as const;
