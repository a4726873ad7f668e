import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSbdf } from '@xenpt/pci';
import { parsePassthroughSpec, XenOperationError } from '../../src/xen/index.js';
import { formatGuestAddress } from '../../src/xen/spec.js';

const sbdf = fc.record({
  segment: fc.integer({ min: 0, max: 0xffff }),
  bus: fc.integer({ min: 0, max: 0xff }),
  device: fc.integer({ min: 0, max: 0x1f }),
  function: fc.integer({ min: 0, max: 7 }),
});

test('every address with every slot is read back', () => {
  fc.assert(
    fc.property(sbdf, fc.integer({ min: 0, max: 0x1f }), (address, slot) => {
      const text = `${formatSbdf(address)}@${slot.toString(16)}`;
      expect(parsePassthroughSpec(text)).toEqual({ sbdf: address, slot });
      expect(formatGuestAddress(slot << 3)).toBe(`0000:00:${slot.toString(16).padStart(2, '0')}.0`);
    }),
  );
});

test('any text is read or refused with a code and a next step', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parsePassthroughSpec(text);
      } catch (error) {
        expect(error).toBeInstanceOf(XenOperationError);
        expect((error as XenOperationError).code).toBe('XENPT_SPEC_SYNTAX');
        expect((error as XenOperationError).next).not.toBe('');
      }
    }),
  );
});

test.each([
  '03:00.0@',
  '03:00.0@5@6',
  '03:00.0@g',
  '03:00.0@020',
  '03:00.0@20',
  '03:00.0,seize=1',
  'bdf=03:00.0',
  '03:00',
  '@5',
])('refuses %s', (text) => {
  expect(() => parsePassthroughSpec(text)).toThrow(XenOperationError);
});

test('the slot is hexadecimal with and without 0x', () => {
  expect(parsePassthroughSpec('03:00.0@10')).toMatchObject({ slot: 16 });
  expect(parsePassthroughSpec('03:00.0@0x10')).toMatchObject({ slot: 16 });
});
