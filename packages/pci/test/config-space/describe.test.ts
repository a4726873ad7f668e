import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { describeCapabilities } from '../../src/index.js';
import { describeFields } from '../../src/config-space/describe.js';
import { e1000e, e1000eConfig } from '../support/e1000e.js';
import { hostileImages } from '../support/hostile-images.js';
import { ImageBuilder } from '../support/image.js';

describe('the capabilities of a card', () => {
  const { capabilities, faults } = describeCapabilities(e1000e(), { functionReset: true });

  it('come in the order of the device, those of the extended space last', () => {
    expect(capabilities.map(({ offset }) => offset)).toEqual([0xc8, 0xd0, 0xe0, 0xa0]);
    expect(faults).toEqual([]);
    const builder = new ImageBuilder(4096).chain({ at: 0x60, id: 0x0c }, { at: 0x50, id: 0x05 });
    const mixed = describeCapabilities({ config: builder.u32(0x100, 0x0001_0003).config });
    expect(mixed.capabilities.map(({ offset, visible }) => [offset, visible])).toEqual([
      [0x60, false],
      [0x50, true],
      [0x100, false],
    ]);
  });

  it('say what they are, what a guest gets, and whether it can be reset', () => {
    const express = capabilities.find(({ id }) => id === 0x10);
    expect(express?.summary).toBe('version 1, Endpoint, link x1 at 2.5 GT/s of x1 at 2.5 GT/s');
    expect(express?.remarks).toEqual([expect.stringContaining('Reset by FLR')]);
    const plain = describeCapabilities(e1000e()).capabilities.find(({ id }) => id === 0x10);
    expect(plain?.remarks).toEqual([expect.stringContaining('the host does not offer to reset it')]);
  });

  it('say what stands beside a table, and which bytes are trapped for it', () => {
    const table = capabilities.find(({ id }) => id === 0x11);
    expect(table?.summary).toBe('5 vectors, table in BAR 3 at 0x0, pending bits in BAR 3 at 0x2000');
    expect(table?.remarks[0]).toContain('0x0 to 0xfff of BAR 3');
    expect(table?.remarks[1]).toMatch(/^Other registers on these pages/);
  });

  it('decode fields with names for their values', () => {
    const control = capabilities[2]?.registers.find(({ name }) => name === 'deviceControl');
    expect(control).toMatchObject({ offset: 0xe8, width: 2, value: 0x2810 });
    expect(control?.fields).toContainEqual({ name: 'maxReadRequestSize', bitCount: 3, value: 2, text: '512 bytes' });
    expect(control?.fields).toContainEqual({ name: 'relaxedOrdering', bitCount: 1, value: 1, text: null });
  });

  it('are hidden with the reason when their place in a BAR is wrong', () => {
    const config = e1000eConfig();
    config[0xa4] = 0x07;
    const table = describeCapabilities(e1000e({ config })).capabilities.find(({ id }) => id === 0x11);
    expect(table).toMatchObject({ visible: false, meaning: expect.stringContaining('BAR 7') as string, remarks: [] });
    // Without resources nobody can tell.
    expect(describeCapabilities({ config }).capabilities.find(({ id }) => id === 0x11)?.visible).toBe(true);
  });
});

it('a value without a name is reserved', () => {
  const register = {
    offset: 0,
    width: 1,
    reset: 0,
    fields: { one: [0, 3, ['a', 'b']] },
    guest: { why: '' },
  } as const;
  expect(describeFields(register, 1)[0]?.text).toBe('b');
  expect(describeFields(register, 7)[0]?.text).toBe('reserved (7)');
});

it('every hostile image is described or refused by name, with text in every place', () => {
  for (const image of Object.values(hostileImages)) {
    try {
      for (const one of describeCapabilities(image).capabilities) {
        expect(one.meaning).not.toBe('');
        expect(one.name).not.toBe('');
      }
    } catch (error) {
      expect(error).toMatchObject({ name: 'PciError' });
    }
  }
});

it('whatever the bytes are, the description ends and every text is a text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 256, maxLength: 256 }), (config) => {
      config[0x0e] = 0;
      config[0] = 0x86;
      config[6] = 0x10;
      for (const { summary, remarks, registers } of describeCapabilities({ config, resources: [] }).capabilities) {
        const texts = [summary, ...remarks, ...registers.flatMap(({ fields }) => fields.map(({ text }) => text))];
        for (const text of texts) expect(text ?? '').not.toMatch(/undefined|NaN|\[object/);
      }
    }),
    { numRuns: 300 },
  );
});
