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
        expect((error as XenOperationError).code).toMatch(/^XENPT_(SPEC_SYNTAX|OPTION_REFUSED)$/);
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
  '03:00.0,seize=yes',
  '03:00.0,sieze=1',
  '03:00.0@5,vslot=6',
  '03:00.0,name=card',
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

test('options of xl that mean something are read; vslot is a slot', () => {
  const { sbdf } = parsePassthroughSpec('03:00.0');
  expect(parsePassthroughSpec('03:00.0,vslot=1f,permissive=1,msitranslate=0,rdm_policy=relaxed')).toEqual({
    sbdf,
    slot: 31,
    options: { permissive: true, rdmPolicy: 'relaxed' },
  });
  expect(parsePassthroughSpec('0000:03:00.0@a,seize=1')).toEqual({ sbdf, slot: 10, options: { seize: true } });
});

test.each([
  ['03:00.0,msitranslate=1', /msitranslate has no effect here: only qemu-traditional/],
  ['03:00.0@5,power_mgmt=1', /power_mgmt has no effect here: only qemu-traditional/],
])('%s is refused by name, with the reason', (text, message) => {
  expect(() => parsePassthroughSpec(text)).toThrow(message);
});
