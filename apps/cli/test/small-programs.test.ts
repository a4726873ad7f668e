import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { guestDeviceVerbs } from '../src/guest-devices.js';
import { inventoryVerbs } from '../src/inventory.js';
import { verbs } from '../src/verbs/index.js';

test.each([
  ['inventory', inventoryVerbs],
  ['guest-devices', guestDeviceVerbs],
])('the verbs that bin/xenpt.js looks for in the small program %s are those that it has', (program, known) => {
  const bin = readFileSync(new URL('../bin/xenpt.js', import.meta.url), 'utf8');
  const [, names = ''] = new RegExp(`'?${program}'?: \\[(.*)\\]`).exec(bin) ?? [];
  expect(known.map(({ name }) => `'${name}'`).join(', ')).toBe(names);
  expect(verbs).toEqual(expect.arrayContaining(known));
});
