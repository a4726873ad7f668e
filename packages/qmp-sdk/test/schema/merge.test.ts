import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitTypes } from '../../src/schema/emit.js';
import type { EntityTable, SchemaEntity } from '../../src/schema/entities.js';
import { mergeSchemas } from '../../src/schema/model.js';
import { lockOf, nameTypes, withStableNames } from '../../src/schema/names.js';
import { indexEntities } from '../../src/schema/well-formed.js';
import { compile } from '../types/compile.js';
import { schemas, valueOf } from './arbitraries.js';

/** The compiler is slow, and finding a small counterexample is many runs of it. */
const longestMs = 45_000;

const picks = fc.array(fc.nat(9999), { minLength: 8, maxLength: 40 });
const literal = (value: unknown) => JSON.stringify(value).replaceAll('\u2028', '\\u2028');

/** A later version of a schema: members and variants gone or optional, values and commands gone, a string now. */
function changed(schema: readonly SchemaEntity[], numbers: readonly number[]): readonly SchemaEntity[] {
  let next = 0;
  const chance = (below: number) => ((numbers[next++ % numbers.length] ?? 0) + next) % below === 0;
  return schema.flatMap((entity): readonly SchemaEntity[] => {
    switch (entity['meta-type']) {
      case 'command':
        return chance(5) ? [] : [entity];
      case 'enum': {
        // The tags of the synthetic schemas keep the values that variants have.
        const isTag = entity.values?.includes('case_0') === true;
        const values = (entity.values ?? []).filter((value, index) => index === 0 || isTag || !chance(3));
        return [{ name: entity.name, 'meta-type': 'enum', values }];
      }
      case 'object': {
        const members = entity.members
          .filter((member) => member.name === entity.tag || !chance(4))
          .map((member) => (member.name !== entity.tag && chance(4) ? { ...member, default: null } : member));
        const { tag, variants, ...plain } = entity;
        if (tag === undefined || chance(4)) return [{ ...plain, members }];
        return [
          { ...plain, members, tag, variants: (variants ?? []).filter((_, index) => index === 0 || !chance(3)) },
        ];
      }
      default:
        return [entity];
    }
  });
}

function named(schema: readonly SchemaEntity[], before: readonly EntityTable[]): EntityTable {
  const table = indexEntities(schema);
  return indexEntities(withStableNames(table, nameTypes(table, { lock: lockOf(before) })));
}

describe('the union of versions', () => {
  it('takes what any of them takes and returns', () => {
    fc.assert(
      fc.property(schemas, picks, picks, (schema, changes, numbers) => {
        const old = named(schema, []);
        const young = named(changed(schema, changes), [old]);
        const merged = mergeSchemas([
          { version: '1.0', table: old },
          { version: '2.0', table: young },
        ]);
        const lines = ["import type { Commands, Events, UnstableCommands } from './types.js';"];
        lines.push('type All = Commands & UnstableCommands;');
        const declare = (table: EntityTable, type: string, text: string) => {
          if (type === 'Empty') return;
          lines.push(`export const value${lines.length}: ${text} = ${literal(valueOf(table.types, type, numbers))};`);
        };
        for (const table of [old, young]) {
          for (const command of table.commands.values()) {
            declare(table, command['arg-type'], `All['${command.name}']['args']`);
            declare(table, command['ret-type'], `All['${command.name}']['result']`);
          }
          for (const event of table.events.values()) declare(table, event['arg-type'], `Events['${event.name}']`);
        }
        const text = emitTypes(merged, { origin: 'Merged.' });
        expect(compile({ 'types.ts': text, 'values.ts': lines.join('\n') })).toEqual([]);
      }),
      { numRuns: 60, interruptAfterTimeLimit: longestMs },
    );
  });

  it('says since when, until when, and what is not everywhere', () => {
    const str: SchemaEntity = { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' };
    const version = (members: readonly string[], values: readonly string[]): EntityTable =>
      indexEntities([
        str,
        { name: 'Info', 'meta-type': 'object', members: members.map((name) => ({ name, type: 'str' })) },
        { name: 'Mode', 'meta-type': 'enum', values },
        { name: 'Args', 'meta-type': 'object', members: [{ name: 'mode', type: 'Mode' }] },
        { name: 'query-info', 'meta-type': 'command', 'arg-type': 'Args', 'ret-type': 'Info' },
      ]);
    const merged = mergeSchemas([
      { version: '1.0', table: version(['old', 'both'], ['a']) },
      { version: '2.0', table: version(['both', 'new'], ['a', 'b']) },
      { version: '3.0', table: version(['both', 'new'], ['a', 'b']) },
    ]);
    const text = emitTypes(merged, { origin: 'Merged.' });
    expect(text).toContain(
      [
        'export interface Info {',
        '  /** Until 1.0 (not in 2.0). */',
        '  old?: string;',
        '  both: string;',
        '  /** Since 2.0 (not in 1.0). */',
        '  new?: string;',
        '}',
      ].join('\n'),
    );
    expect(text).toContain("export type Mode =\n  | 'a'\n  /** Since 2.0 (not in 1.0). */\n  | 'b';");
  });
});
