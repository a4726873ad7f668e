import { expect, test } from 'vitest';
import { errorSchema, type JsonSchema, schemaOf } from '../src/json-schema.js';
import { verbs } from '../src/verbs/index.js';
import { fakeHost, parse, run } from './run.js';

/** Where a value is not as the schema says; only what the schemas here use. */
function mistakes(schema: JsonSchema, value: unknown, path = '$'): string[] {
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  const type =
    value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'number' ? 'integer' : typeof value;
  if (types && !types.some((each) => each === type)) return [`${path} is ${type}`];
  if ('const' in schema && value !== schema.const) return [`${path} is not ${String(schema.const)}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${path} is none of ${schema.enum.join()}`];
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value as string))
    return [`${path} is malformed`];
  if (type === 'array')
    return (value as unknown[]).flatMap((each, index) => mistakes(schema.items ?? {}, each, `${path}[${index}]`));
  if (type !== 'object') return [];
  const fields = value as Readonly<Record<string, unknown>>;
  return [
    ...(schema.required ?? []).filter((name) => !(name in fields)).map((name) => `${path}.${name} is missing`),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
      name in fields ? mistakes(inner, fields[name], `${path}.${name}`) : [],
    ),
  ];
}

const verb = (name: string) => verbs.find((each) => each.name === name) ?? { name };

test('what the verbs print is what their schemas say', async () => {
  const host = fakeHost();
  const lines = [
    ['assignable add', 'assignable add 03:00.0 -N'],
    ['assignable add', 'assignable add 03:00.0'],
    ['assignable list', 'assignable list'],
    ['assignable remove', 'assignable remove 03:00.0'],
    ['recover', 'recover'],
    ['lint', 'lint'],
  ] as const;
  for (const [name, line] of lines) {
    const { stdout, exitCode } = await run(host, `${line} --json`);
    expect([line, exitCode, mistakes(schemaOf(verb(name)), parse(stdout))]).toEqual([line, 0, []]);
  }
  expect(mistakes(schemaOf(verb('recover')), { schemaVersion: 2, transactions: [1] })).toEqual([
    '$.dirtyLogs is missing',
    '$.schemaVersion is not 1',
    '$.transactions[0] is integer',
  ]);
});

test('errors too, of usage and of operations', async () => {
  for (const line of ['undo', 'undo x y', 'assignable add 3:0', 'lint /nowhere', 'attach 5 03:00.0']) {
    const { stdout, exitCode } = await run(fakeHost(), `${line} --json`);
    expect([line, exitCode === 0, mistakes(errorSchema, parse(stdout))]).toEqual([line, false, []]);
  }
});

test('they are printed', async () => {
  expect(JSON.parse((await run(fakeHost(), 'schema')).stdout)).toEqual(errorSchema);
  expect(JSON.parse((await run(fakeHost(), 'schema assignable add')).stdout)).toEqual(
    schemaOf(verb('assignable add')),
  );
  expect(await run(fakeHost(), 'schema nothing')).toMatchObject({ exitCode: 2, stdout: '' });
});
