import { expect, it } from 'vitest';

import { accessControlGroups, type GroupInput } from '../../src/inventory/groups.js';
import { parseLocation } from '../../src/inventory/location.js';

const all = { capability: 0x1f, control: 0x1d };
const off = { capability: 0x1f, control: 0 };

function input(address: string, changes: Partial<GroupInput> = {}): GroupInput {
  const location = parseLocation(address);
  if (location === null) throw new Error(address);
  return { location, parent: null, multifunction: false, expressType: 0, accessControl: null, ...changes };
}

function groups(...inputs: GroupInput[]): string[][] {
  return [...new Set(accessControlGroups(inputs).values())].map((group) => [...group]);
}

const port = (accessControl: GroupInput['accessControl']) => input('0000:00:1c.0', { expressType: 4, accessControl });

it('a root port that redirects keeps what is behind it apart', () => {
  expect(groups(port(all), input('0000:02:00.0', { parent: '0000:00:1c.0' }))).toEqual([
    ['0000:00:1c.0'],
    ['0000:02:00.0'],
  ]);
});

it.each([
  ['switched off', off],
  ['absent', null],
] as const)('with ACS %s, port and device are one', (_name, acs) => {
  expect(groups(port(acs), input('0000:02:00.0', { parent: '0000:00:1c.0' }))).toEqual([
    ['0000:00:1c.0', '0000:02:00.0'],
  ]);
});

it('a device need not do what it does not offer', () => {
  const behind = input('0000:02:00.0', { parent: '0000:00:1c.0' });
  expect(groups(port({ capability: 0x05, control: 0x05 }), behind)).toHaveLength(2);
});

it('functions of one device are one without ACS, and apart with it', () => {
  const card = (fn: number, accessControl: GroupInput['accessControl']) =>
    input(`0000:02:00.${fn}`, { parent: '0000:00:1c.0', multifunction: true, accessControl });
  expect(groups(port(all), card(0, null), card(1, null))).toEqual([
    ['0000:00:1c.0'],
    ['0000:02:00.0', '0000:02:00.1'],
  ]);
  expect(groups(port(all), card(0, all), card(1, all))).toHaveLength(3);
});

it('everything behind a bridge to conventional PCI is one with it', () => {
  const parent = '0000:02:00.0';
  expect(
    groups(
      port(all),
      input(parent, { parent: '0000:00:1c.0', expressType: 7 }),
      input('0000:03:00.0', { parent, expressType: null }),
      input('0000:03:01.0', { parent, expressType: null }),
    ),
  ).toEqual([['0000:00:1c.0'], [parent, '0000:03:00.0', '0000:03:01.0']]);
});

it('ends on parents that form a ring', () => {
  const ring = [
    input('0000:01:00.0', { parent: '0000:02:00.0', expressType: 4 }),
    input('0000:02:00.0', { parent: '0000:01:00.0', expressType: 4 }),
  ];
  expect(groups(...ring)).toHaveLength(1);
});
