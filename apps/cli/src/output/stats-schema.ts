import {
  address,
  integer,
  integerOrNull,
  type JsonSchema,
  list,
  nullable,
  number,
  object,
  text,
  textOrNull,
} from '../json-schema.js';

const counts = (description: string): JsonSchema => ({ type: 'object', description });

const modelProcess = object({ pid: integer, version: text, startedAtMs: integer });

/** Null is what a model that an earlier version started does not tell. */
export const modelStats = {
  domid: integer,
  domainName: text,
  process: nullable({
    ...modelProcess,
    description: 'All counts are since it was started, in milliseconds since 1970.',
  }),
  devices: list(address),
  requests: counts('Requests of the guest, by kind; refused and faulted are counted beside their kind.'),
  effects: counts('What was carried out for them, by type.'),
  failedEffects: nullable(counts('What Xen or the host refused of it, by type.')),
  deniedWrites: { ...integer, description: 'Configuration writes of which no bit could take effect.' },
  interrupts: nullable(counts('Bound to the guest, by kind; Xen sends them past the model.')),
  latency: nullable({
    ...object({
      count: integer,
      sumNs: number,
      longestNs: number,
      buckets: list(object({ upToNs: integer, count: integer })),
    }),
    description: 'How long requests were in its hands; what took longer than the last bucket is in count alone.',
  }),
  waiting: nullable({
    ...object({ what: text, ageMs: number, waitsFor: textOrNull }),
    description: 'What the guest is kept waiting by, and for what that waits.',
  }),
  late: { ...integerOrNull, description: 'Requests and calls that had no answer for 2 s.' },
} as const;

export const upgradedModel = {
  upgraded: object({
    domid: integer,
    domainName: text,
    from: nullable(modelProcess),
    to: nullable(modelProcess),
    pauseMs: { ...number, description: 'From the end of the old process to the first answer of the new one.' },
  }),
} as const;
