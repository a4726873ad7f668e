import fc from 'fast-check';
import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { encodePng, parsePpm } from '../../src/node/png.js';

const ppm = (width: number, height: number, pixels: Uint8Array, header = `P6\n${width} ${height}\n255\n`) =>
  new Uint8Array(Buffer.concat([Buffer.from(header), pixels]));

test('every image comes through, pixel by pixel', () => {
  const sides = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(sides, sides, fc.infiniteStream(fc.nat(255)), (width, height, stream) => {
      const pixels = Uint8Array.from({ length: width * height * 3 }, () => Number(stream.next().value));
      const image = parsePpm(ppm(width, height, pixels));
      expect(image).toEqual({ width, height, pixels });
      const png = Buffer.from(encodePng({ width, height, pixels }));
      expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([width, height]);
      const rows = inflateSync(png.subarray(png.indexOf('IDAT') + 4, png.indexOf('IEND') - 8));
      const back = Array.from({ length: height }, (_, row) => {
        const start = row * (width * 3 + 1);
        expect(rows[start]).toBe(0);
        return [...rows.subarray(start + 1, start + 1 + width * 3)];
      });
      expect(back.flat()).toEqual([...pixels]);
    }),
  );
});

test('the smallest PNG, byte by byte', () => {
  // The CRC of an empty IEND is in every PNG.
  const png = Buffer.from(encodePng({ width: 1, height: 1, pixels: new Uint8Array([255, 0, 0]) })).toString('latin1');
  expect(png.startsWith('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde')).toBe(true);
  expect(png.endsWith('\0\0\0\0IEND\xaeB`\x82')).toBe(true);
});

test.each([
  ['nothing', new Uint8Array()],
  ['another format', ppm(1, 1, new Uint8Array(3), 'P3\n1 1\n255\n')],
  ['one that is cut off', ppm(2, 2, new Uint8Array(11))],
  ['one without a size', ppm(0, 1, new Uint8Array(3))],
  ['one that is too large', ppm(99_999, 1, new Uint8Array(300_000))],
  ['sixteen bits per sample', ppm(1, 1, new Uint8Array(6), 'P6\n1 1\n65535\n')],
])('%s is no picture', (_name, bytes) => {
  expect(parsePpm(bytes)).toBeUndefined();
});
