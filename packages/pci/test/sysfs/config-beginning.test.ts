import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';

import { readConfigFacts } from '../../src/inventory/config-facts.js';
import { readConfigBeginning } from '../../src/sysfs/config-beginning.js';
import { recordedDevices } from '../support/fixtures.js';

const folder = mkdtempSync(join(tmpdir(), 'xenpt-config-'));
const path = join(folder, 'config');
afterAll(() => rmSync(folder, { recursive: true }));

function beginningOf(image: Uint8Array) {
  writeFileSync(path, image);
  return readConfigBeginning(path);
}

function expectSameFacts(image: Uint8Array): void {
  const { bytes, sizeBytes } = beginningOf(image);
  expect(readConfigFacts(bytes, sizeBytes)).toEqual(readConfigFacts(image));
}

it('says of every recorded device what the whole space says, and reads less of most', () => {
  const images = recordedDevices().map(({ image }) => image.config);
  for (const image of images) expectSameFacts(image);
  const whole = images.filter((image) => image.length === 4096);
  const read = whole.map((image) => beginningOf(image).bytes.length);
  expect(whole.length).toBeGreaterThan(10);
  expect(read.filter((length) => length === 512).length).toBeGreaterThan(whole.length / 2);
});

const ids = fc.constantFrom(0, 1, 3, 0x0d, 0x10, 0xffff);
const places = fc.integer({ min: 0x40, max: 0x3ff }).map((word) => word * 4);
const chains = fc.tuple(
  fc.uint8Array({ minLength: 4096, maxLength: 4096 }),
  fc.array(fc.tuple(ids, places), { maxLength: 40 }),
);

it('whatever the device chains, forwards, backwards, in circles and off the end, nothing is missed', () => {
  fc.assert(
    fc.property(chains, ([image, links]) => {
      const view = new DataView(image.buffer, image.byteOffset, image.length);
      let at = 0x100;
      for (const [id, next] of links) {
        view.setUint32(at, ((next << 20) | 0x1_0000 | id) >>> 0, true);
        at = next;
      }
      expectSameFacts(image);
    }),
    { numRuns: 2000 },
  );
});

it.each([0, 1, 64, 128, 256])('a file of %d bytes is all there is', (length) => {
  const image = new Uint8Array(length).fill(0x5a);
  const { bytes, sizeBytes } = beginningOf(image);
  expect(sizeBytes).toBe(length);
  expect(Buffer.from(bytes).equals(image)).toBe(true);
});

it('what the last device left in memory is not taken for registers of the next', () => {
  beginningOf(new Uint8Array(4096).fill(0x11));
  expect(beginningOf(new Uint8Array(64).fill(0x22)).bytes).toEqual(new Uint8Array(64).fill(0x22));
});

it('a device that answers all ones is not asked further', () => {
  expect(beginningOf(new Uint8Array(4096).fill(0xff))).toMatchObject({ sizeBytes: 4096, bytes: { length: 512 } });
});

it('names a file that is not there', () => {
  expect(() => readConfigBeginning(join(folder, 'none'))).toThrow(/none/);
});
