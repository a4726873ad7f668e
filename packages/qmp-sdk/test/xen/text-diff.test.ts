import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textDiff } from '../../src/xen/text-diff.js';
import { temporaryFolder } from './folders.js';

test('three lines around what differs', () => {
  const numbers = ['1', '2', '3', '4', '5', '6', '7', '8', '9', ''].join('\n');
  expect(textDiff('f', numbers, numbers)).toBe('');
  expect(textDiff('f', numbers, numbers.replace('5', 'five'))).toBe(
    ['--- f', '+++ f', '@@ -2,7 +2,7 @@', ' 2', ' 3', ' 4', '-5', '+five', ' 6', ' 7', ' 8'].join('\n'),
  );
  expect(textDiff('f', '', 'a\n')).toBe(['--- f', '+++ f', '@@ -0,0 +1,1 @@', '+a'].join('\n'));
  expect(textDiff('f', 'a', 'a\nb')).toContain('-a\n\\ No newline at end of file\n+a\n+b\n\\ No newline');
});

test('patch(1) makes of the one text the other', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'file');
  const text = fc
    .tuple(fc.array(fc.constantFrom('a', 'b', '', ' pci=["x"]'), { maxLength: 9 }), fc.boolean())
    .map(([lines, ended]) => lines.join('\n') + (ended && lines.length > 0 ? '\n' : ''));
  fc.assert(
    fc.property(text, text, (before, after) => {
      // patch(1) removes a file that becomes empty.
      fc.pre(before !== after && after !== '');
      writeFileSync(path, before);
      const input = `${textDiff('file', before, after)}\n`;
      execFileSync('patch', ['--silent', '--no-backup-if-mismatch', path], { input });
      expect(readFileSync(path, 'utf8')).toBe(after);
    }),
    { numRuns: 60 },
  );
});
