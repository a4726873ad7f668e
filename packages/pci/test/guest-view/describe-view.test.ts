import { describe, expect, it } from 'vitest';

import { type FunctionImage, type GuestViewOptions, describeGuestView, previewGuestView } from '../../src/index.js';
import { imageOfDump, parseConfigDump } from '../../src/index.js';
import { e1000e, e1000eConfig } from '../support/e1000e.js';
import { hostileImages } from '../support/hostile-images.js';
import { ImageBuilder, functionImage } from '../support/image.js';

function see(image: FunctionImage, options: GuestViewOptions = {}) {
  const { view, guest } = previewGuestView(image, options);
  return { ...describeGuestView({ host: image.config, guest, words: view.words, hidden: view.hidden }), guest, view };
}

describe('bit by bit', () => {
  const { registers } = see(e1000e(), { functionReset: true });
  const bitsOf = (name: string) => registers.find((register) => register.name === name)?.bits;

  it('says what reaches the device, what is ours, what is denied and what is reserved', () => {
    expect(bitsOf('command')).toBe('.....wwwRwDDDWww');
    expect(bitsOf('bar3')).toBe('wwwwwwwwwwwwwwwwwwrrrrrrrrrrrrrr');
    expect(bitsOf('cacheLineSize')).toBe('wwwwwwww');
    expect(bitsOf('revisionId')).toBe('RRRRRRRR');
    expect(bitsOf('deviceControl')).toBe('wwwwwdwwwwwwwwww');
    expect(bitsOf('table')).toBe('r'.repeat(32));
  });

  it('agrees with the rules: a capital letter reads the device, W and w are written', () => {
    for (const [name, image] of Object.entries({ card: e1000e(), ...hostileImages })) {
      let seen;
      try {
        seen = see(image, { functionReset: true });
      } catch (error) {
        expect(error, name).toMatchObject({ name: 'PciError' });
        continue;
      }
      for (const { offset, width, bits, host, guest } of seen.registers) {
        const rule = seen.view.words[offset >>> 2]?.rule;
        const lane = 8 * (offset & 3);
        expect(bits, name).toHaveLength(8 * width);
        for (const [index, letter] of [...bits].entries()) {
          const bit = 8 * width - 1 - index;
          const has = (mask = 0) => ((mask >>> (lane + bit)) & 1) === 1;
          if (letter === '.') continue;
          expect(letter === letter.toUpperCase(), `${name} ${offset} ${bits}`).toBe(!has(rule?.virtual));
          expect(letter.toLowerCase() === 'w').toBe(has(rule?.shadowWrite) || has(rule?.hardwareWrite));
          if (!has(rule?.virtual)) expect((guest >>> bit) & 1).toBe((host >>> bit) & 1);
        }
      }
    }
  });
});

it('has host and guest side by side, with the reason and the guest’s fields', () => {
  const command = see(e1000e()).registers.find(({ name }) => name === 'command');
  expect(command).toMatchObject({ group: 'Header', groupOffset: 0, host: 0x0507, guest: 0x0004, differs: true });
  expect(command?.why).toMatch(/keeps decoding/);
  expect(command?.fields).toContainEqual({ name: 'busMaster', bitCount: 1, value: 1, text: null });
  expect(command?.fields).toContainEqual({ name: 'memorySpace', bitCount: 1, value: 0, text: null });
});

it('covers every byte once: registers or areas', () => {
  const image = functionImage(
    new ImageBuilder()
      .chain({ at: 0x40, id: 0x09 }, { at: 0x60, id: 0x0c }, { at: 0x70, id: 0x01 })
      .u8(0x42, 0x10)
      .u8(0xf0, 0x12).config,
  );
  const { registers, areas } = see(image, {
    allow: ['vendor-specific@0x40+4:0x0ff0', 'device-specific@0xf0+0:0xff'],
  });
  const seen = [...registers, ...areas.map((area) => ({ ...area, width: area.sizeBytes }))]
    .filter(({ offset }) => offset >= 0x40)
    .flatMap(({ offset, width }) => Array.from({ length: width }, (_, index) => offset + index));
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 192 }, (_, index) => 0x40 + index));
  expect(areas.map(({ offset, group, hidden }) => [offset, group, hidden])).toEqual([
    [0x43, 'Vendor Specific', false],
    [0x50, 'device-specific', false],
    [0x60, 'Hot-Plug', true],
    [0x68, 'device-specific', false],
    [0x78, 'device-specific', false],
  ]);
  expect(areas[0]?.opened).toEqual([
    { offset: 0x44, mask: 0xf0 },
    { offset: 0x45, mask: 0x0f },
  ]);
  expect(areas[4]?.opened).toEqual([{ offset: 0xf0, mask: 0xff }]);
  expect(areas[2]?.guest).toBe('00'.repeat(8));
  expect(areas[4]?.host.slice(2 * (0xf0 - 0x78), 2 * (0xf0 - 0x78) + 2)).toBe('12');
});

it('an image of the header alone is described as far as it goes', () => {
  const { registers, areas, guest } = see(e1000e({ config: e1000eConfig().subarray(0, 64) }));
  expect(guest).toHaveLength(64);
  expect(registers.at(-1)?.offset).toBe(0x3f);
  expect(areas).toEqual([]);
});

it('a file of a virtual function is described with the ids of its title', () => {
  const rows = Array.from(
    { length: 4 },
    (_, row) => `${row}0: ${'ff '.repeat(row === 0 ? 4 : 0)}${'00 '.repeat(16)}`,
  );
  const text = ['03:10.0 Ethernet [8086:10ca]', ...rows.map((row) => row.slice(0, 51))].join('\n');
  const [dumped] = parseConfigDump(new TextEncoder().encode(text));
  if (dumped === undefined) throw new Error('nothing was read');
  const { image, assumed } = imageOfDump(dumped);
  expect(assumed).toEqual([]);
  expect(see(image).registers[0]).toMatchObject({ name: 'vendorId', host: 0xffff, guest: 0x8086 });
});
