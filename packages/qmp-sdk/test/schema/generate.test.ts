import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateTypes } from '../../src/schema/generate.js';
import { QmpSchema } from '../../src/schema/schema.js';
import { compile } from '../types/compile.js';
import { schemas, valueOf } from './arbitraries.js';
import { indexEntities } from '../../src/schema/well-formed.js';

/** JSON on one line, also for a compiler, to which U+2028 ends a line. */
const literal = (value: unknown) => JSON.stringify(value).replaceAll('\u2028', '\\u2028');

/** The compiler is slow, and finding a small counterexample is many runs of it. */
const longestMs = 45_000;

const picks = fc.array(fc.nat(9999), { minLength: 8, maxLength: 40 });

describe('for any schema', () => {
  it('the types compile, and take the values that the validator takes', () => {
    fc.assert(
      fc.property(schemas, picks, (schema, numbers) => {
        const checker = new QmpSchema(schema);
        const { commands, events, types } = indexEntities(schema);
        const lines = ["import type { Commands, Events, UnstableCommands } from './types.js';"];
        lines.push('type All = Commands & UnstableCommands;');
        const declare = (type: string, text: string, value: unknown) => {
          if (type === '0') return;
          lines.push(`export const value${lines.length}: ${text} = ${literal(value)};`);
        };
        for (const command of commands.values()) {
          const args = valueOf(types, command['arg-type'], numbers);
          const result = valueOf(types, command['ret-type'], numbers);
          expect(checker.checkArguments(command.name, args)).toEqual([]);
          expect(checker.checkResult(command.name, result, { unknownMembers: 'reject' })).toEqual([]);
          declare(command['arg-type'], `All['${command.name}']['args']`, args);
          declare(command['ret-type'], `All['${command.name}']['result']`, result);
        }
        for (const event of events.values()) {
          const data = valueOf(types, event['arg-type'], numbers);
          expect(checker.checkEvent(event.name, data, { unknownMembers: 'reject' })).toEqual([]);
          declare(event['arg-type'], `Events['${event.name}']`, data);
        }
        expect(compile({ 'types.ts': generateTypes(schema), 'values.ts': lines.join('\n') })).toEqual([]);
      }),
      { numRuns: 40, interruptAfterTimeLimit: longestMs },
    );
  });

  it('a broken value is refused by the types and by the validator, or by neither', () => {
    fc.assert(
      fc.property(schemas, picks, fc.nat(999), (schema, numbers, where) => {
        const checker = new QmpSchema(schema);
        const { commands, types } = indexEntities(schema);
        const lines = ["import type { Commands, UnstableCommands } from './types.js';"];
        lines.push('type All = Commands & UnstableCommands;');
        const refused: number[] = [];
        for (const command of commands.values()) {
          if (command['arg-type'] === '0') continue;
          const args = broken(valueOf(types, command['arg-type'], numbers), where);
          lines.push(`export const value${lines.length}: All['${command.name}']['args'] = ${literal(args)};`);
          if (checker.checkArguments(command.name, args).length > 0) refused.push(lines.length);
        }
        const diagnostics = compile({ 'types.ts': generateTypes(schema), 'values.ts': lines.join('\n') });
        const lineNumbers = diagnostics.map((text) => Number(/^values\.ts:(\d+)/.exec(text)?.[1]));
        expect([...new Set(lineNumbers)]).toEqual(refused);
      }),
      { numRuns: 60, interruptAfterTimeLimit: longestMs },
    );
  });
});

/** The value with one place of it broken: a member gone, or something there that is of no type. */
function broken(value: unknown, where: number): unknown {
  const places: (() => void)[] = [];
  const copy = structuredClone(value);
  const visit = (inner: unknown) => {
    if (typeof inner !== 'object' || inner === null) return;
    const fields = inner as Record<string, unknown>;
    for (const [name, field] of Object.entries(fields)) {
      places.push(() => (fields[name] = { '!': [false] }));
      if (!Array.isArray(inner)) places.push(() => delete fields[name]);
      visit(field);
    }
    if (!Array.isArray(inner)) places.push(() => (fields['no such member'] = 1));
  };
  visit(copy);
  places[where % places.length]?.();
  return copy;
}
