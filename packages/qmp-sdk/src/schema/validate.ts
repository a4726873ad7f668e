import {
  type AlternateEntity,
  type EntityTable,
  type JsonKind,
  type ObjectEntity,
  type TypeEntity,
  enumMembers,
} from './entities.js';
import { branchKind } from './edges.js';

export interface CheckOptions {
  /**
   * Members the schema does not name. QEMU rejects them in arguments, and asks clients to ignore them in what it
   * sends; so is the default for each.
   */
  readonly unknownMembers?: 'reject' | 'ignore';
  /** Stop after so many; 20 by default. */
  readonly maximumIssues?: number;
}

export interface Issue {
  /** `query-block[0].inserted.image.filename`; it begins with the command or event. */
  readonly path: string;
  /** What is wrong there. Never the value: it may be secret. */
  readonly message: string;
}

const defaultMaximumIssues = 20;

/** QEMU refuses deeper input (its JSON parser's limit). */
const maximumNesting = 1024;

/** The schema calls int8 to uint64 all `int`: this is what any of them can hold. */
const integers = { lowest: -(2n ** 63n), highest: 2n ** 64n - 1n };

interface Check {
  readonly issues: Issue[];
  readonly maximum: number;
  readonly rejectUnknown: boolean;
  depth: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** Checks values against the types of one schema. */
export class Validator {
  readonly #types: EntityTable['types'];
  readonly #values = new Map<string, ReadonlySet<string>>();

  constructor(types: EntityTable['types']) {
    this.#types = types;
  }

  check(type: string, value: unknown, path: string, options: CheckOptions = {}): readonly Issue[] {
    const { unknownMembers = 'ignore', maximumIssues = defaultMaximumIssues } = options;
    const check = { issues: [], maximum: maximumIssues, rejectUnknown: unknownMembers === 'reject', depth: 0 };
    this.#visit(type, value, path, check);
    return check.issues;
  }

  #visit(name: string, value: unknown, path: string, check: Check): void {
    const type = this.#types.get(name);
    if (!type || check.issues.length >= check.maximum) return;
    if (++check.depth > maximumNesting) report(check, path, `nests deeper than ${maximumNesting}`);
    else this.#visitType(type, value, path, check);
    check.depth--;
  }

  #visitType(type: TypeEntity, value: unknown, path: string, check: Check): void {
    switch (type['meta-type']) {
      case 'builtin':
        if (!builtinChecks[type['json-type']](value)) report(check, path, `${describe(value)} is not ${type.name}`);
        return;
      case 'enum':
        if (typeof value !== 'string') report(check, path, `${describe(value)} is not a string`);
        else if (!this.#valuesOf(type).has(value)) report(check, path, 'is none of the values this QEMU knows');
        return;
      case 'array':
        if (!Array.isArray(value)) report(check, path, `${describe(value)} is not an array`);
        else value.forEach((item, index) => this.#visit(type['element-type'], item, `${path}[${index}]`, check));
        return;
      case 'alternate':
        return this.#visitAlternate(type, value, path, check);
      case 'object':
        if (!isFields(value)) report(check, path, `${describe(value)} is not an object`);
        else this.#visitObject(type, value, path, check);
    }
  }

  /** The kind of JSON value says which branch it is of; no two branches are of one kind. */
  #visitAlternate(type: AlternateEntity, value: unknown, path: string, check: Check): void {
    const kinds = type.members.map((member) => ({ type: member.type, kind: branchKind(this.#types, member.type) }));
    const branch = kinds.find(({ kind }) => builtinChecks[kind as JsonKind](value));
    if (branch) this.#visit(branch.type, value, path, check);
    else report(check, path, `${describe(value)} is none of ${kinds.map(({ kind }) => kind).join(', ')}`);
  }

  #visitObject(type: ObjectEntity, value: Fields, path: string, check: Check): void {
    const known = new Set<string>();
    this.#visitMembers(type, value, path, check, known);
    if (!check.rejectUnknown) return;
    for (const name of Object.keys(value)) {
      if (!known.has(name) && value[name] !== undefined) {
        report(check, memberPath(path, name), 'is not known to this QEMU');
      }
    }
  }

  /** The members of an object and of the variant its tag chooses, all of them beside each other in the value. */
  #visitMembers(type: ObjectEntity, value: Fields, path: string, check: Check, known: Set<string>): void {
    for (const member of type.members) {
      known.add(member.name);
      const inner = Object.hasOwn(value, member.name) ? value[member.name] : undefined;
      if (inner !== undefined) this.#visit(member.type, inner, memberPath(path, member.name), check);
      else if (!('default' in member)) report(check, memberPath(path, member.name), 'is missing');
    }
    if (type.tag === undefined) return;
    const chosen = Object.hasOwn(value, type.tag) ? value[type.tag] : undefined;
    const variant = (type.variants ?? []).find((one) => one.case === chosen);
    const arm = variant && this.#types.get(variant.type);
    if (arm?.['meta-type'] === 'object') this.#visitMembers(arm, value, path, check, known);
  }

  #valuesOf(type: Extract<TypeEntity, { 'meta-type': 'enum' }>): ReadonlySet<string> {
    let values = this.#values.get(type.name);
    if (!values) {
      values = new Set(enumMembers(type).map(({ name }) => name));
      this.#values.set(type.name, values);
    }
    return values;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isInt(value: unknown): boolean {
  if (typeof value !== 'bigint' && !Number.isInteger(value)) return false;
  const integer = BigInt(value as number | bigint);
  return integer >= integers.lowest && integer <= integers.highest;
}

const builtinChecks: Readonly<Record<JsonKind, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  // QEMU writes inf and nan where a computation gave them; the client passes them on.
  number: (value) => typeof value === 'number' || isInt(value),
  int: isInt,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  object: isFields,
  array: Array.isArray,
  value: (value) => value !== undefined,
};

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return `a value of kind ${typeof value}`;
}

function memberPath(path: string, name: string): string {
  return /^[A-Za-z_][\w-]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
}

function report(check: Check, path: string, message: string): void {
  if (check.issues.length < check.maximum) check.issues.push({ path, message });
}
