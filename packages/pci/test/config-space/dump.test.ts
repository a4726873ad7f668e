import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseConfigDump } from '../../src/index.js';
import { e1000eConfig } from '../support/e1000e.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** As lspci -x writes them: 16 in a row, three digits from 0x100 on. */
function rows(config: Uint8Array): string {
  return Array.from({ length: config.length / 16 }, (_, row) => {
    const bytes = Array.from(config.subarray(16 * row, 16 * row + 16), (byte) => byte.toString(16).padStart(2, '0'));
    return `${(16 * row).toString(16).padStart(2, '0')}: ${bytes.join(' ')}`;
  }).join('\n');
}

const card = e1000eConfig();

describe('what lspci writes', () => {
  it.each([64, 256, 4096])('is read to the last of %i bytes', (length) => {
    const [found, ...rest] = parseConfigDump(bytesOf(`03:00.0 Ethernet\n${rows(card.subarray(0, length))}\n\n`));
    expect(rest).toEqual([]);
    expect(found).toMatchObject({ sbdf: { segment: 0, bus: 3, device: 0, function: 0 }, title: 'Ethernet', line: 1 });
    expect(found?.config).toEqual(card.subarray(0, length));
  });

  it('may have many functions, segments, Windows line ends, upper case and lines of -v', () => {
    const text = [
      'root@host:~# lspci -vnnxxx',
      '03:00.0 Ethernet controller [0200]: Intel Corporation 82574L [8086:10d3] (rev 02)',
      '\tMemory at fe840000 (32-bit, non-prefetchable) [size=128K]',
      '\tRegion 2: I/O ports at c000 [disabled] [size=32]',
      '\tMemory at 383000000000 (64-bit, prefetchable) [size=16G]',
      rows(card.subarray(0, 64)).toUpperCase(),
      '',
      '0001:04:1f.7 0106: 1b36:0010 (rev 01)',
      rows(card.subarray(0, 64)),
      '10000:e1:00.0 Non-Volatile memory controller: behind a VMD',
      rows(card.subarray(0, 64)),
      '05:00.0 nothing readable',
    ].join('\r\n');
    const found = parseConfigDump(bytesOf(text));
    expect(found.map(({ config }) => config.length)).toEqual([64, 64, 64, 0]);
    expect(found.map(({ ids }) => ids)).toEqual([
      { vendorId: 0x8086, deviceId: 0x10d3 },
      { vendorId: 0x1b36, deviceId: 0x0010 },
      null,
      null,
    ]);
    expect([...(found[0]?.sizes ?? [])]).toEqual([
      [0xfe84_0000n, 0x2_0000n],
      [0xc000n, 32n],
      [0x3830_0000_0000n, 1n << 34n],
    ]);
    expect(found[1]?.sbdf).toEqual({ segment: 1, bus: 4, device: 0x1f, function: 7 });
    expect(found[2]?.sbdf?.segment).toBe(0x1_0000);
    expect(parseConfigDump(bytesOf(`03:ff.0 x\n${rows(card.subarray(0, 64))}`))[0]?.sbdf).toBe(null);
  });
});

describe('bytes as they are', () => {
  it.each([64, 256, 4096])('are an image of %i', (length) => {
    expect(parseConfigDump(card.subarray(0, length))).toEqual([
      { sbdf: null, title: '', config: card.subarray(0, length), ids: null, sizes: new Map(), line: 0 },
    ]);
    expect(parseConfigDump(new Uint8Array(length).fill(0xff))[0]?.config).toHaveLength(length);
  });

  it('are nothing when they are cut off', () => {
    expect(() => parseConfigDump(card.subarray(0, 100))).toThrow('The image has 100 bytes, not 64, 256 or 4096.');
  });
});

describe('a malformed file is refused with the place', () => {
  const whole = rows(card.subarray(0, 64)).split('\n');
  const edited = (row: number, text: string) =>
    ['03:00.0 x', ...whole.map((line, index) => (index === row ? text : line))].join('\n');
  it.each([
    ['a word that is no byte', edited(1, '10: 00 0g'), 'Line 3, column 8: "0g" is no byte.'],
    ['a row that is cut off', edited(1, '10: 00 01'), 'Line 3, column 10: the row has 2 bytes, not 16.'],
    ['a row too long', edited(0, `${whole[0] ?? ''} 00`), 'Line 2, column 53: a row has 16 bytes.'],
    ['a row missing', edited(1, ''), 'Line 4, column 1: the row at 20 stands where 10 belongs.'],
    ['a row twice', edited(1, whole[0] ?? ''), 'Line 3, column 1: the row at 0 stands where 10 belongs.'],
    ['no bytes', '03:00.0 x\n', 'Line 1, column 1: no function has any bytes.'],
    ['something else', 'hello\n', 'Line 1, column 1: here is neither a function nor a row of its bytes.'],
    ['nothing', '', 'Line 1, column 1: here is neither a function nor a row of its bytes.'],
  ])('%s', (_name, text, message) => {
    expect(() => parseConfigDump(bytesOf(text))).toThrow(message);
    expect(() => parseConfigDump(bytesOf(text))).toThrow(expect.objectContaining({ code: 'PCI_DUMP_SYNTAX' }));
  });

  it('more bytes than a function can have', () => {
    const text = `${rows(new Uint8Array(4096))}\n1000: ${'00 '.repeat(16)}`;
    // Four digits are no row of lspci: the line says nothing, and the image is whole.
    expect(parseConfigDump(bytesOf(text))[0]?.config).toHaveLength(4096);
  });
});

it('whatever the file is, it is read or refused by name', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('03:00.0 x', '00: 01', '10:', '\tMemory at 0 [size=1K]', rows(card.subarray(0, 64))),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(line).map((lines) => bytesOf(lines.join('\n'))),
        fc.uint8Array(),
      ),
      (file) => {
        try {
          for (const { config } of parseConfigDump(file)) expect(config.length).toBeLessThanOrEqual(4096);
        } catch (error) {
          expect(error).toMatchObject({
            code: 'PCI_DUMP_SYNTAX',
            nextStep: expect.stringContaining('lspci') as string,
          });
        }
      },
    ),
  );
});
