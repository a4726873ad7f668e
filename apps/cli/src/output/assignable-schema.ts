import { address, flag, integer, type JsonSchema, list, object, oneOf, text, textOrNull } from '../json-schema.js';

/** A rule that calls a device not assignable. */
export const reason: JsonSchema = object({
  rule: text,
  message: text,
  cause: text,
  evidence: list(text),
  fix: textOrNull,
  override: {
    ...oneOf('accept-siblings', 'allow-critical', 'no-reset-ok', null),
    description: 'What sets it aside.',
  },
});

const plan: JsonSchema = object({ sbdf: address, steps: list(object({ title: text, writes: list(text) })) });
const planOrNull: JsonSchema = { ...plan, type: ['object', 'null'] };

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
} as const;
