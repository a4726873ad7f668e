import { expect, it } from 'vitest';

import { evaluate } from '../../src/rules/evaluate.js';
import { largeHost } from '../../src/sysfs/testing/index.js';
import { inventoryOf } from '../rules/inventory-of.js';

it('1,000 functions on 31 shared groups: each is told, and each knows the rest of its group', () => {
  using tree = largeHost(1000);
  const inventory = inventoryOf(tree);
  expect(inventory.functions).toHaveLength(1000);
  const { functions } = evaluate(inventory);
  const cards = inventory.functions.filter(({ parent }) => parent !== null);
  expect(new Set(cards.map(({ groups }) => groups.kernel?.join())).size).toBe(31);
  expect(cards.every(({ address }) => functions.get(address)?.verdict === 'not-assignable')).toBe(true);
  expect(new Set(cards.map(({ identity }) => identity.path)).size).toBe(cards.length);
});
