import { QmpArgumentError } from './errors.js';

/** A value that QMP can carry. Integers of any size go as `bigint`, digit by digit. */
export type Json = string | number | bigint | boolean | null | undefined | readonly Json[] | JsonObject;

/** Members that are `undefined` are left out. */
export interface JsonObject {
  readonly [member: string]: Json;
}

/** QEMU's `MAX_NESTING` (qobject/json-streamer): deeper input is an error without id. */
export const maximumNesting = 1024;

// QEMU's lexer refuses both, in raw UTF-8 and as \u escapes, with an error that names no command.
const refusedCharacters = /[\p{Surrogate}\p{Noncharacter_Code_Point}]/u;

/**
 * JSON as QEMU reads it: integers in full digits (QEMU takes no `1e+21` for an integer), bigint exact.
 *
 * @throws QmpArgumentError for what QMP can not carry: NaN, infinities, lone surrogates, noncharacters, functions,
 * symbols, Map and the like, and anything nested deeper than 1022 (a cycle is that).
 */
export function serializeArguments(args: JsonObject): string {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    throw new QmpArgumentError('arguments', 'not an object', 'Pass an object of named arguments.');
  }
  return serialize(args, 'arguments', 2);
}

function serialize(value: unknown, path: string, depth: number): string {
  switch (typeof value) {
    case 'string':
      return serializeString(value, path);
    case 'number':
      return serializeNumber(value, path);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth > maximumNesting) {
        throw new QmpArgumentError(path, `nested deeper than ${maximumNesting}`, 'Remove the cycle, or flatten it.');
      }
      return Array.isArray(value) ? serializeArray(value, path, depth) : serializeObject(value, path, depth);
    default:
      throw new QmpArgumentError(path, `a ${typeof value} has no JSON`, 'Pass strings, numbers, arrays, objects.');
  }
}

function serializeString(text: string, path: string): string {
  if (refusedCharacters.test(text)) {
    throw new QmpArgumentError(path, 'a lone surrogate or a noncharacter', 'Repair the text: toWellFormed() may do.');
  }
  return JSON.stringify(text);
}

function serializeNumber(value: number, path: string): string {
  if (!Number.isFinite(value)) throw new QmpArgumentError(path, `${value} has no JSON`, 'Pass a finite number.');
  if (Number.isInteger(value) && Math.abs(value) >= 1e21) return BigInt(value).toString();
  return String(value);
}

function serializeArray(items: readonly unknown[], path: string, depth: number): string {
  return `[${items.map((item, index) => serialize(item, `${path}[${index}]`, depth + 1)).join(',')}]`;
}

function serializeObject(value: object, path: string, depth: number): string {
  if (Object.prototype.toString.call(value) !== '[object Object]') {
    throw new QmpArgumentError(path, 'not a plain object', 'Convert it to plain objects, arrays and strings.');
  }
  let text = '';
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const memberPath = `${path}.${name}`;
    text += `${text === '' ? '' : ','}${serializeString(name, memberPath)}:${serialize(member, memberPath, depth + 1)}`;
  }
  return `{${text}}`;
}
