import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inventoryVerbs } from '../src/inventory.js';
import { verbs } from '../src/verbs/index.js';

test('the verbs that bin/xenpt.js looks for in the small program are those that it has', () => {
  const bin = readFileSync(new URL('../bin/xenpt.js', import.meta.url), 'utf8');
  const [, names = ''] = /inventoryVerbs = \[(.*)\]/.exec(bin) ?? [];
  expect(inventoryVerbs.map(({ name }) => `'${name}'`).join(', ')).toBe(names);
  expect(verbs).toEqual(expect.arrayContaining(inventoryVerbs));
});
