import type { Cursor } from './cursor.js';
import { GrammarError } from './grammar-error.js';
import { nearest } from './nearest.js';

/** What xl takes after the address (xl-pci-configuration(5)); what is not written is left to xl.cfg's defaults. */
export interface XlOptions {
  /** Guest writes that pciback does not know reach the device. */
  readonly permissive?: boolean;
  readonly msitranslate?: boolean;
  /** Takes the device from its driver without asking. */
  readonly seize?: boolean;
  readonly power_mgmt?: boolean;
  /** What happens when a reserved memory region does not fit the guest. */
  readonly rdm_policy?: 'strict' | 'relaxed';
}

/** An option with what it is set to, and where. */
export interface WrittenOption {
  readonly key: string;
  readonly value: string;
  /** Positions in the cursor's text. */
  readonly keyAt: number;
  readonly valueAt: number;
}

const flags = ['permissive', 'msitranslate', 'seize', 'power_mgmt'] as const;
const policies = ['strict', 'relaxed'] as const;
const keys: readonly string[] = ['bdf', 'name', 'vslot', ...flags, 'rdm_policy'];

/** Reads `key=value,key=value`; each key once, none unknown. */
export function readWrittenOptions(cursor: Cursor): WrittenOption[] {
  const options: WrittenOption[] = [];
  do {
    const keyAt = cursor.position;
    const key = cursor.takeUntil('=,');
    if (!keys.includes(key)) failUnknown(cursor, key, keyAt);
    if (options.some((option) => option.key === key)) cursor.fail(`${key} is given twice`, keyAt);
    cursor.expect('=', 'the sign');
    const valueAt = cursor.position;
    options.push({ key, value: cursor.takeUntil(','), keyAt, valueAt });
  } while (cursor.take(','));
  cursor.expectEnd();
  return options;
}

/** The options among what was written; `bdf`, `name` and `vslot` are the caller's. */
export function readXlOptions(cursor: Cursor, written: readonly WrittenOption[]): XlOptions {
  const options: { -readonly [Key in keyof XlOptions]: XlOptions[Key] } = {};
  for (const { key, value, valueAt } of written) {
    const flag = flags.find((name) => name === key);
    if (flag !== undefined) {
      // libxlu takes any number by atoi(3) and reads "yes" as 0, so only what cannot be misread is allowed.
      if (value !== '0' && value !== '1') cursor.fail(`${key} is "${value}", but can be 0 or 1 only`, valueAt);
      options[flag] = value === '1';
    }
    if (key === 'rdm_policy') {
      const policy = policies.find((name) => name === value);
      if (policy === undefined) cursor.fail(`rdm_policy is "${value}", but can be strict or relaxed only`, valueAt);
      else options.rdm_policy = policy;
    }
  }
  return options;
}

/** `,permissive=1,rdm_policy=strict`, in the order of the manual. */
export function writeXlOptions(options: XlOptions): string {
  return [...flags, 'rdm_policy' as const]
    .flatMap((key) => {
      const value = options[key];
      return value === undefined ? [] : [`,${key}=${typeof value === 'boolean' ? Number(value) : value}`];
    })
    .join('');
}

function failUnknown(cursor: Cursor, key: string, keyAt: number): never {
  const [meant] = nearest(key, keys);
  const { text } = cursor;
  throw new GrammarError({
    text,
    column: keyAt + 1,
    problem: key === '' ? 'an option is expected here' : `there is no option "${key}"`,
    ...(meant === undefined
      ? { nextStep: `The options are ${keys.join(', ')}.` }
      : { suggestion: text.slice(0, keyAt) + meant + text.slice(keyAt + key.length) }),
  });
}
