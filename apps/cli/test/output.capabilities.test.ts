import { describeCapabilities } from '@xenpt/pci';
import { expect, test } from 'vitest';
import { formatCapabilities } from '../src/output/capabilities.js';
import { createStyle } from '../src/output/style.js';

/** MSI-X at 40h with its table in BAR 0, a hot-plug controller at 50h, serial number at 100h. */
function listing() {
  const config = new Uint8Array(4096);
  const view = new DataView(config.buffer);
  view.setUint32(0x00, 0x10d3_8086, true);
  view.setUint16(0x06, 0x0010, true);
  config[0x34] = 0x40;
  config.set([0x11, 0x50, 0x04, 0x80, 0x00, 0x10, 0, 0, 0x00, 0x18, 0, 0], 0x40);
  config.set([0x0c, 0x40, 0x07, 0x40], 0x50);
  view.setUint32(0x100, 0x0001_0003, true);
  view.setUint32(0x104, 0xff12_3456, true);
  view.setUint32(0x108, 0x5254_00ff, true);
  const range = { index: 0, kind: 'memory', start: 0xfe84_0000n, sizeBytes: 0x4000n } as const;
  return describeCapabilities({ config, resources: [{ ...range, prefetchable: false, is64Bit: false }] });
}

test('each capability: what it is, what a guest gets of it, its registers; then why the list is broken', () => {
  expect(formatCapabilities(listing(), createStyle(false), 80)).toMatchInlineSnapshot(`
    "CAPABILITIES
    0x40   MSI-X  5 vectors, table in BAR 0 at 0x1000, pending bits in BAR 0 at
                  0x1800
           guest   The guest writes a table of ours; the hypervisor programs the
                   device’s own, which no guest reaches.
           note    Bytes 0x1000 to 0x1fff of BAR 0 are trapped, not mapped: the
                   table is there.
           note    The pending bits and other registers on these pages are reached
                   through the device model, which is slower than being mapped.
           0x42   messageControl   0x8004      tableSize 5, functionMask-, enable+
           0x44   table            0x00001000  barIndex 0, qwordOffset 0x1000 bytes
           0x48   pendingBitArray  0x00001800  barIndex 0, qwordOffset 0x1800 bytes

    0x50   Hot-Plug
           hidden  it belongs to bridges and slots, which stay with the host
           0x52   dwordSelect  0x07
           0x53   pending      0x40        controllerInterrupt+,
                                           controllerSystemError-
           0x54   dwordData    0x00000000

    0x100  Device Serial Number  v1  52-54-00-ff-ff-12-34-56
           hidden  Tells one card from another; a guest does not learn it.
           0x104  serialLow   0xff123456
           0x108  serialHigh  0x525400ff

    broken the list points to 0x40 a second time; what comes after it is not decoded"
  `);
});

test('colour paints and moves nothing', () => {
  const plain = formatCapabilities(listing(), createStyle(false), 80);
  const painted = formatCapabilities(listing(), createStyle(true), 80);
  expect(painted).not.toBe(plain);
  expect(painted.replace(/\x1b\[\d+m/g, '')).toBe(plain);
});

test('no line is longer than the terminal is wide', () => {
  for (const columns of [80, 100, 140]) {
    const lines = formatCapabilities(listing(), createStyle(false), columns).split('\n');
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
  }
});

test('a function without capabilities has no section', () => {
  expect(formatCapabilities({ capabilities: [], faults: [] }, createStyle(false))).toBe('');
});
