import { expect, it } from 'vitest';

import { className } from '../src/index.js';

it.each([
  [0x02_0000, 'Ethernet controller'],
  [0x01_0802, 'NVM controller'],
  [0x06_0400, 'PCI bridge'],
  [0x02_9900, 'Network controller'],
  [0x7f_0000, 'Class 0x7f'],
])('0x%s is %s', (classCode, name) => {
  expect(className(classCode)).toBe(name);
});
