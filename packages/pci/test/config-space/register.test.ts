import { expect, it } from 'vitest';

import { decodeFields, extractField, initialShadow } from '../../src/config-space/register.js';

it('extracts fields unsigned, to the whole register', () => {
  expect(extractField(0xf000_0001, [28, 4])).toBe(15);
  expect(extractField(0xffff_ffff, [0, 32])).toBe(0xffff_ffff);
  expect(extractField(0xffff_ffff, [3, 29])).toBe(0x1fff_ffff);
});

it('decodes every field by name, or none', () => {
  const guest = { why: 'It is a test.' };
  expect(decodeFields({ offset: 0, width: 1, reset: 0, fields: { a: [0, 1], b: [4, 4] }, guest }, 0x31)).toEqual({
    a: 1,
    b: 3,
  });
  expect(decodeFields({ offset: 0, width: 1, reset: 0, guest }, 0x31)).toEqual({});
});

it('starts a shadow with reset and what is latched, in virtual bits only', () => {
  const guest = { virtual: 0x0fff, latch: 0x00f0, why: 'It is a test.' };
  expect(initialShadow({ offset: 0, width: 2, reset: 0xf10f, guest }, 0xaaaa)).toBe(0x01af);
});
