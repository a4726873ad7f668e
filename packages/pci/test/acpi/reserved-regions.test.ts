import { expect, it } from 'vitest';

import { parseDmar } from '../../src/acpi/dmar.js';
import { parseIvrs } from '../../src/acpi/ivrs.js';
import { assignReservedRegions, type ScopeTarget } from '../../src/acpi/reserved-regions.js';
import { acpiTable, ivmd, join, rmrr } from './tables.js';

const at = (bus: number, device: number, secondaryBus: number | null, parent: string | null): ScopeTarget => ({
  location: { segment: 0, bus, device, function: 0 },
  parent,
  secondaryBus,
});
const targets = [
  at(0, 0x1c, 2, null),
  at(2, 0, 3, '0000:00:1c.0'),
  at(3, 1, null, '0000:02:00.0'),
  at(0, 2, null, null),
];
const dmar = (...regions: Uint8Array[]) => parseDmar(acpiTable('DMAR', join(...regions)));

it('follows a path through bridges', () => {
  const steps = [
    [0x1c, 0],
    [0, 0],
    [1, 0],
  ];
  const tables = { dmar: dmar(rmrr(1n, 2n, { startBus: 0, steps })), ivrs: null };
  expect([...assignReservedRegions(tables, targets).keys()]).toEqual(['0000:03:01.0']);
});

it('a bridge stands for everything behind it', () => {
  const tables = { dmar: dmar(rmrr(1n, 2n, { type: 2, startBus: 0, steps: [[0x1c, 0]] })), ivrs: null };
  expect([...assignReservedRegions(tables, targets).keys()]).toEqual([
    '0000:00:1c.0',
    '0000:02:00.0',
    '0000:03:01.0',
  ]);
});

it('a path into nothing, or through no bridge, names nobody', () => {
  const nothing = [
    { startBus: 9, steps: [[0, 0]] },
    {
      startBus: 0,
      steps: [
        [2, 0],
        [0, 0],
      ],
    },
  ];
  for (const scope of nothing) {
    expect(assignReservedRegions({ dmar: dmar(rmrr(1n, 2n, scope)), ivrs: null }, targets).size).toBe(0);
  }
});

it('IVMD ranges are of device ids, and the same region counts once', () => {
  const ivrs = parseIvrs(acpiTable('IVRS', join(ivmd(0x22, 0x10, 0x200, 1n, 9n), ivmd(0x21, 0x10, 0, 1n, 9n))));
  const regions = assignReservedRegions({ dmar: null, ivrs }, targets);
  expect([...regions.keys()]).toEqual(['0000:00:1c.0', '0000:02:00.0', '0000:00:02.0']);
  expect(regions.get('0000:00:02.0')).toEqual([{ start: 1n, end: 9n, source: 'ivrs' }]);
});
