import { expect, it } from 'vitest';

import type { Owner } from '../../src/inventory/host-facts.js';
import { evaluate } from '../../src/rules/evaluate.js';
import { rules } from '../../src/rules/index.js';
import { HostTree } from '../../src/sysfs/testing/index.js';
import { card, cases } from './cases.js';
import { inventoryOf } from './inventory-of.js';

function findingsOf(rule: string, build: (tree: HostTree) => ReturnType<(typeof cases)[number]['bad']>) {
  using tree = new HostTree();
  const says = build(tree);
  return evaluate(inventoryOf(tree, says ?? {})).findings.filter((finding) => finding.rule === rule);
}

it.each(cases.map((one) => [one.rule, one] as const))('%s', (rule, { bad, good, message }) => {
  const found = findingsOf(rule, bad);
  expect(found.map((finding) => finding.message)).toEqual(expect.arrayContaining([expect.stringMatching(message)]));
  expect(found.every(({ evidence }) => evidence.length > 0)).toBe(true);
  expect(findingsOf(rule, good)).toEqual([]);
});

it('every rule has a tree that triggers it and one that does not, and says all it has to say', () => {
  expect(cases.map(({ rule }) => rule).sort()).toEqual(rules.map(({ id }) => id).sort());
  for (const { id, title, cause, consequence, remedy } of rules) {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
    for (const text of [title, cause, consequence, remedy]) expect(text.length).toBeGreaterThan(15);
  }
});

it('a boot disk hurts only when somebody wants to give it away', () => {
  const bad = cases.find(({ rule }) => rule === 'boot-disk')?.bad ?? (() => {});
  expect(findingsOf('boot-disk', bad).map(({ severity }) => severity)).toEqual(['info']);
  const wanted = findingsOf('boot-disk', (tree) => {
    bad(tree);
    tree.file('etc/xen/web.cfg', `type="hvm"\nmemory=512\npci=["${card}"]\n`);
  });
  expect(wanted.map(({ severity }) => severity)).toEqual(['error']);
});

it('a guest is asked for a device that was pulled out before the kernel forgets it', () => {
  const bad = cases.find(({ rule }) => rule === 'not-answering')?.bad ?? (() => {});
  const fixes = (owner: Owner) =>
    findingsOf('not-answering', (tree) => ({ ...bad(tree), owners: { [card]: owner } })).map(({ fix }) => fix);
  const rescan = `echo 1 > /sys/bus/pci/devices/${card}/remove && echo 1 > /sys/bus/pci/rescan`;
  expect(fixes({ kind: 'assignable' })).toEqual([rescan]);
  const guest = { kind: 'domain', domid: 7, domainName: 'web', guestSbdf: null } as const;
  expect(fixes(guest)).toEqual([`xenpt detach 7 ${card} && ${rescan}`]);
});

it('what hurts most comes first, and decides the verdict', () => {
  using tree = new HostTree();
  tree.add({ address: card, driver: 'pciback', resetMethods: 'pm' });
  tree.file('sys/kernel/security/lockdown', '[confidentiality]\n');
  const { findings, functions } = evaluate(inventoryOf(tree, { host: { controlDomain: true } }));
  expect(findings.map(({ rule, severity }) => [rule, severity])).toEqual([
    ['lockdown', 'error'],
    ['no-reset', 'warning'],
  ]);
  expect(functions.get(card)?.verdict).toBe('not-assignable');
});
