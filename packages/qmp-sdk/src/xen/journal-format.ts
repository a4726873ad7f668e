import type { DeviceBefore, DeviceIdentity, JournalRecord, JournalStep, Override } from './journal.js';

const DRIVER = /^\/sys\/bus\/pci\/drivers\/[\w-][\w.-]*$/;
const SBDF = /^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;
const MAX_STEPS = 32;

/**
 * What was read from a file, narrowed. Paths in it are written to, so nothing but the folder of a driver will do.
 *
 * @throws TypeError naming the field
 */
export function parseJournalRecord(value: unknown, id: string): JournalRecord {
  const file = new Fields(value);
  if (file.number('schemaVersion') !== 1) throw new TypeError('schemaVersion is not 1');
  if (file.text('id') !== id) throw new TypeError(`id is not ${id}`);
  const owner = file.object('owner');
  return {
    id,
    kind: file.oneOf('kind', ['assignable-add', 'assignable-remove'] as const),
    undoes: file.textOrNull('undoes', /^[0-9]{6}$/),
    sbdf: file.text('sbdf', SBDF),
    identity: parseIdentity(file.object('identity')),
    bootId: file.text('bootId'),
    startedAt: file.text('startedAt'),
    owner: { pid: owner.number('pid'), startedAt: owner.text('startedAt') },
    overrides: file.list('overrides').map((name) => oneOf('overrides', name, overrideNames)),
    before: parseBefore(file.object('before')),
    overrideAfter: file.textOrNull('overrideAfter', /^[\w-]{1,64}$/),
    state: file.oneOf('state', ['running', 'done', 'rolled-back', 'incomplete'] as const),
    steps: parseSteps(file.list('steps')),
    problems: file.list('problems').map((problem) => String(problem)),
  };
}

const overrideNames: readonly Override[] = ['accept-siblings', 'allow-critical', 'no-reset-ok'];

function parseIdentity(fields: Fields): DeviceIdentity {
  return {
    vendorId: fields.number('vendorId'),
    deviceId: fields.number('deviceId'),
    subsystemVendorId: fields.number('subsystemVendorId'),
    subsystemDeviceId: fields.number('subsystemDeviceId'),
    classCode: fields.number('classCode'),
  };
}

function parseBefore(fields: Fields): DeviceBefore {
  return {
    driver: fields.textOrNull('driver', DRIVER),
    driverOverride: fields.textOrNull('driverOverride', /^[\w-]{1,64}$/),
    hasSlot: fields.boolean('hasSlot'),
    recordedDriver: fields.textOrNull('recordedDriver'),
    recordedName: fields.textOrNull('recordedName'),
    config: fields.text('config', /^(?:[0-9a-f]{2}){64,4096}$/),
  };
}

function parseSteps(list: readonly unknown[]): JournalStep[] {
  if (list.length > MAX_STEPS) throw new TypeError(`more than ${MAX_STEPS} steps`);
  return list.map((value) => {
    const fields = new Fields(value);
    return { id: fields.text('id'), state: fields.oneOf('state', ['intended', 'done', 'undone'] as const) };
  });
}

export function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === value);
  if (found === undefined) throw new TypeError(`${name} is not ${allowed.join(', ')}`);
  return found;
}

/** The members of an object, each asked for by the type that it has to have. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null) throw new TypeError('an object is missing');
    this.#values = value as Record<string, unknown>;
  }

  text(name: string, pattern = /^/): string {
    const value = this.#values[name];
    if (typeof value !== 'string' || !pattern.test(value)) throw new TypeError(`${name} is not as it should be`);
    return value;
  }

  textOrNull(name: string, pattern?: RegExp): string | null {
    return this.#values[name] === null ? null : this.text(name, pattern);
  }

  number(name: string): number {
    const value = this.#values[name];
    if (!Number.isSafeInteger(value)) throw new TypeError(`${name} is not an integer`);
    return value as number;
  }

  boolean(name: string): boolean {
    const value = this.#values[name];
    if (typeof value !== 'boolean') throw new TypeError(`${name} is not true or false`);
    return value;
  }

  object(name: string): Fields {
    return new Fields(this.#values[name]);
  }

  list(name: string): readonly unknown[] {
    const value = this.#values[name];
    if (!Array.isArray(value)) throw new TypeError(`${name} is not a list`);
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    return oneOf(name, this.#values[name], allowed);
  }
}
