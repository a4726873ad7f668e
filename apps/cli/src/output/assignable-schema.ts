import {
  address,
  flag,
  integer,
  type JsonSchema,
  list,
  object,
  oneOf,
  reason,
  text,
  textOrNull,
} from '../json-schema.js';

/** What a dry run tells of one device. */
export const plan: JsonSchema = object({ sbdf: address, steps: list(object({ title: text, writes: list(text) })) });
export const planOrNull: JsonSchema = { ...plan, type: ['object', 'null'] };

/** What is told of a device that was made assignable, or given back. */
export const changedDevice: JsonSchema = object({
  sbdf: address,
  driver: { ...textOrNull, description: 'Folder of the driver it came from, or is bound to again.' },
  transaction: { ...textOrNull, description: 'For xenpt undo; null for a dry run.' },
  plan: planOrNull,
});

const setAside: JsonSchema = {
  ...list(reason),
  description: 'Rules that call it not assignable, and that an override has set aside.',
};

export const addedDevices = {
  dryRun: flag,
  devices: list({ ...changedDevice, properties: { ...changedDevice.properties, setAside } }),
} as const;

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
  devices: list(
    object({
      domid: integer,
      sbdf: textOrNull,
      outcome: oneOf('taken-back', 'model-ended', 'failed'),
      sentence: text,
    }),
  ),
  restarts: list(
    object({
      handle: text,
      outcome: oneOf('given', 'failed', 'not-restarted', 'owner-alive'),
      sentence: text,
    }),
  ),
} as const;

/** Of a dry run, whose other lists are empty. */
export const recoveryPlans = {
  dryRun: flag,
  plans: list(object({ subject: text, sentence: text, steps: list(object({ title: text, writes: list(text) })) })),
} as const;

const transaction = object({
  id: text,
  kind: oneOf('assignable-add', 'assignable-remove'),
  sbdf: address,
  startedAt: text,
  state: oneOf('running', 'done', 'rolled-back', 'incomplete', 'undone'),
  undoes: textOrNull,
  thisBoot: flag,
  overrides: list(text),
  problems: list(text),
});

/** Of an undoing, of a dry run with its plans, or of --list. */
export const undone = {
  undone: text,
  dryRun: flag,
  device: changedDevice,
  plans: list(plan),
  transactions: list(transaction),
} as const;
