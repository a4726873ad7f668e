import { expect, test } from 'vitest';
import { verbs } from '../src/verbs/index.js';
import { aliases, lazyNames, loadVerbs, withoutAlias } from '../src/lazy-verbs.js';
import { CARD, fakeHost, run } from './run.js';

test.each(lazyNames)('%s alone is loaded for its command line', async (name) => {
  const loaded = await loadVerbs([...name.split(' '), 'x']);
  expect(loaded.map((verb) => verb.name)).toEqual([name]);
  expect(verbs).toContain(loaded[0]);
});

test.each([[['assignable']], [['--help']], [['frobnicate']], [[]]])('%j loads all verbs', async (argv) => {
  expect(await loadVerbs(argv)).toBe(verbs);
});

test('every alias is a verb, and works as it', async () => {
  const names = verbs.map(({ name }) => name);
  for (const name of Object.values(aliases)) expect(names).toContain(name);
  expect(withoutAlias(['pci-assignable-add', '03:00.0'])).toEqual(['assignable', 'add', '03:00.0']);
  const host = fakeHost();
  expect(await run(host, 'pci-assignable-add 03:00.0')).toMatchObject({ exitCode: 0 });
  expect((await run(host, 'pci-assignable-list')).stdout).toContain(CARD);
  expect(await run(host, 'pci-assignable-remove -r 03:00.0')).toMatchObject({
    exitCode: 0,
    stdout: `${CARD} is bound to e1000e again\n`,
  });
});
