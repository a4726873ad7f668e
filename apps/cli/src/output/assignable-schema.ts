import { address, flag, integer, type JsonSchema, list, object, oneOf, text, textOrNull } from '../json-schema.js';

const plan: JsonSchema = object({ sbdf: address, steps: list(object({ title: text, writes: list(text) })) });
const planOrNull: JsonSchema = { ...plan, type: ['object', 'null'] };

/** What is told of a device that was made assignable, or given back. */
export const changedDevice: JsonSchema = object({
  sbdf: address,
  driver: { ...textOrNull, description: 'Folder of the driver it came from, or is bound to again.' },
  transaction: { ...textOrNull, description: 'For xenpt undo; null for a dry run.' },
  plan: planOrNull,
});

export const changedDevices = { dryRun: flag, devices: list(changedDevice) } as const;

export const recovered = {
  transactions: list(
    object({
      transaction: textOrNull,
      kind: oneOf('assignable-add', 'assignable-remove', null),
      sbdf: textOrNull,
      owner: { type: ['integer', 'null'] },
      outcome: oneOf('rolled-back', 'completed', 'rebooted', 'owner-alive', 'failed'),
      sentence: text,
    }),
  ),
  dirtyLogs: list(
    object({
      domid: integer,
      handle: textOrNull,
      owner: { type: ['integer', 'null'] },
      outcome: oneOf('switched-off', 'domain-gone', 'migration-running', 'owner-alive', 'failed'),
      sentence: text,
    }),
  ),
} as const;
