import { integer, integerOrNull, type JsonSchema, list, nullable, number, object, text } from '../json-schema.js';

const rate = object({ pagesPerSecond: number, bytesPerSecond: number });
const heat: JsonSchema = { type: ['object', 'null'] };

const sample = object({
  index: integer,
  endMs: number,
  elapsedMs: number,
  overrunMs: number,
  scanMs: number,
  pageCount: integer,
  pages: number,
  pagesPerSecond: number,
  newPages: integerOrNull,
  repeatedPages: integerOrNull,
});

const summary = object({
  samples: integer,
  elapsedMs: number,
  overruns: integer,
  mean: rate,
  peak: rate,
  workingSet: nullable(object({ pages: integer, bytes: integer })),
  again: nullable(object({ share: number, pages: integer, everySample: integer })),
  hottest: nullable(list(object({ pagesPerSecond: number, bytesPerSecond: number }))),
  heat,
});

/** Of the whole measurement; with --watch a line for each sample comes before it. */
export const measurement = {
  source: object({ kind: text }),
  intervalMs: number,
  samples: list(sample),
  summary,
  prediction: nullable(object({ policyTitle: text })),
  notes: list(text),
  sample,
} as const;
