import { expect, it } from 'vitest';
import { needsOlderEmulator } from '../../src/image/emulator.js';

const version = (number: string) => `QEMU emulator version ${number} (Debian)\nCopyright (c) 2003-2025 …\n`;

it.each([
  ['4.17', '7.2.22', false],
  ['4.17', '10.0.13', true],
  ['4.17', '11.1.0', true],
  ['4.20', '7.2.22', false],
  ['4.20', '10.0.13', false],
])('Xen %s under QEMU %s: an older one is needed: %s', (xenVersion, number, expected) => {
  expect(needsOlderEmulator({ xenVersion }, version(number))).toBe(expected);
});

it('a version that is not understood is taken as it is', () => {
  expect(needsOlderEmulator({ xenVersion: '4.17' }, 'a build of my own')).toBe(false);
});
