import { expect, it } from 'vitest';

import { loadPciIds, parsePciIds } from '../../src/sysfs/index.js';
import { SysfsTree } from '../support/sysfs-tree.js';

const text = `# a comment
10ec  Realtek Semiconductor Co., Ltd.
8086  Intel Corporation
\t10d3  82574L Gigabit Network Connection
\t\t8086 a01f  Gigabit CT Desktop Adapter
C 02  Network controller
\t00  Ethernet controller
`;

it('names vendors and devices, not subsystems or classes', () => {
  const names = parsePciIds(text);
  expect(names.vendorName(0x10ec)).toBe('Realtek Semiconductor Co., Ltd.');
  expect(names.deviceName(0x8086, 0x10d3)).toBe('82574L Gigabit Network Connection');
  expect([names.vendorName(0x1234), names.deviceName(0x10ec, 0x10d3), names.deviceName(0x8086, 0x8086)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it('prefers Debian’s place, reads UTF-8, and does without', () => {
  using tree = new SysfsTree();
  expect(loadPciIds(tree).vendorName(0x8086)).toBeUndefined();
  tree.file('usr/share/hwdata/pci.ids', '8086  Second\n').file('usr/share/misc/pci.ids', '8086  Ã\n');
  expect(loadPciIds(tree).vendorName(0x8086)).toBe('Ã');
});
