import { expect, it } from 'vitest';

import { concealedCapabilities, decodeConfigSpace } from '../../src/index.js';
import { capabilitySize } from '../../src/capabilities/capability.js';
import { ImageBuilder } from '../support/image.js';

it('what no guest gets is decoded for people all the same', () => {
  const { config } = new ImageBuilder()
    .chain({ at: 0x40, id: 0x07 }, { at: 0x60, id: 0x08 }, { at: 0x80, id: 0x0d })
    .u16(0x42, 0x0052)
    .u32(0x44, 0x0003_0508)
    .u16(0x62, 0xa803)
    .u32(0x84, 0x1234_8086);
  const { capabilities, concealed, hidden } = decodeConfigSpace(config);
  expect([capabilities.length, hidden.length]).toEqual([0, 3]);
  expect(concealed.map(({ name }) => name)).toEqual(['PCI-X', 'HyperTransport', 'Bridge Subsystem ID']);
  expect(concealed[0]?.registers['command']?.fields).toMatchObject({ relaxedOrdering: 1, splits: 5 });
  expect(concealed[1]?.registers['command']?.fields).toMatchObject({ type: 0x15, enable: 1, fixed: 1 });
  expect(concealed[2]?.registers['subsystemVendorId']?.value).toBe(0x8086);
});

it.each([
  [0x02, [0x02, 0, 0x20], 0x0c],
  [0x02, [0x02, 0, 0x35], 0x30],
  [0x07, [0x07, 0, 0x00, 0x00], 0x08],
  [0x07, [0x07, 0, 0x00, 0x20], 0x18],
  [0x08, [0x08, 0, 0x00, 0x00], 0x1c],
  [0x08, [0x08, 0, 0x00, 0x20], 0x18],
  [0x08, [0x08, 0, 0x00, 0x80], 0x08],
  [0x08, [0x08, 0, 0x00, 0xa8], 0x0c],
  [0x08, [0x08, 0, 0x02, 0xa8], 0x04],
  [0x12, [0x12, 0, 0x10, 0, 0x04], 0x08],
  [0x12, [0x12, 0, 0x10, 0, 0x0f], 0x10],
  [0x14, [0x14, 0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0x14],
])('capability %i of %j hides so many bytes: %i', (id, bytes, size) => {
  const capability = concealedCapabilities.find((one) => one.id === id);
  expect(capability && capabilitySize(capability, Uint8Array.from(bytes))).toBe(size);
});

it('Enhanced Allocation never hides more than there is', () => {
  const capability = concealedCapabilities.find((one) => one.id === 0x14);
  for (const length of [4, 5, 8, 192]) {
    const size = capability && capabilitySize(capability, new Uint8Array(length).fill(0xff));
    expect(size).toBeLessThanOrEqual(Math.max(length, 4));
  }
});
