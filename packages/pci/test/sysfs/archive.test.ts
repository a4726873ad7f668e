import fc from 'fast-check';
import { expect, it } from 'vitest';

import { PciError } from '../../src/errors.js';
import { packTree, type TreeEntry, unpackTree } from '../../src/sysfs/archive.js';

it('what is packed is unpacked, long paths and links too', () => {
  const entries: TreeEntry[] = [
    { path: 'proc/cmdline', content: Buffer.from('ro quiet\n') },
    { path: `sys/devices/${'0000:00:1c.0/'.repeat(9)}config`, content: Buffer.alloc(4096, 7) },
    { path: 'sys/bus/pci/devices/0000:03:00.0', target: '../../../devices/pci0000:00/0000:03:00.0' },
    { path: 'empty', content: Buffer.alloc(0) },
  ];
  expect(unpackTree(packTree(entries))).toEqual(entries);
});

it.each([
  ['a path that leads out', { path: '../etc/passwd', content: Buffer.alloc(1) }],
  ['a path from the root', { path: '/etc/passwd', content: Buffer.alloc(1) }],
  ['a link that leads out', { path: 'a/b', target: '../../etc' }],
  ['a link from the root', { path: 'a', target: '/etc' }],
] as [string, TreeEntry][])('refuses %s', (_name, entry) => {
  expect(() => unpackTree(packTree([entry]))).toThrow(/leads out/);
});

it('any bytes give entries or an error of ours', () => {
  const whole = packTree([{ path: 'a/b', content: Buffer.from('text') }]);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 }), (changes) => {
      const bytes = whole.slice();
      for (const [at, value] of changes) bytes[at] = value;
      try {
        unpackTree(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(PciError);
      }
    }),
    { numRuns: 500 },
  );
});
