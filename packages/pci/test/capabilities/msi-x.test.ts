import { describe, expect, it } from 'vitest';

import { type Resource, buildGuestView } from '../../src/index.js';
import { e1000e, e1000eConfig } from '../support/e1000e.js';
import { io, memory } from '../support/image.js';

/** MSI-X of the e1000e with other pointers and control. */
function viewWith(table: number, pba: number, control = 4, resources?: readonly Resource[]) {
  const config = e1000eConfig();
  const bytes = new DataView(config.buffer);
  bytes.setUint16(0xa2, control, true);
  bytes.setUint32(0xa4, table, true);
  bytes.setUint32(0xa8, pba, true);
  return buildGuestView(e1000e({ config, ...(resources === undefined ? {} : { resources }) }));
}

function reasonFor(...parameters: Parameters<typeof viewWith>): string | undefined {
  const view = viewWith(...parameters);
  expect(view.msix).toBeUndefined();
  expect(view.msi).toBeDefined();
  return view.hidden.find(({ id }) => id === 0x11)?.reason;
}

describe('geometry', () => {
  it('is that of the device', () => {
    expect(viewWith(3, 0x2003).msix).toEqual({
      offset: 0xa0,
      controlOffset: 0xa2,
      vectorCount: 5,
      tableBarIndex: 3,
      tableOffset: 0,
      pbaBarIndex: 3,
      pbaOffset: 0x2000,
    });
  });

  it('may fill its BAR to the last byte, with the two areas in either order', () => {
    expect(viewWith(0x3000 + 3, 3, 255).msix?.tableOffset).toBe(0x3000);
    expect(viewWith(3, 0x3f00 + 3, 0x7ff, [memory(3, 0xfec4_0000n, 0x1_0000n)]).hidden).toMatchObject([
      { id: 0x11, reason: expect.stringContaining('lies on its table') as string },
    ]);
    expect(viewWith(3, 0x8000 + 3, 0x7ff, [memory(3, 0xfec4_0000n, 0x1_0000n)]).msix?.vectorCount).toBe(2048);
  });

  it.each([6, 7])('hides BAR index %i', (barIndex) => {
    expect(reasonFor(barIndex, 0x2003)).toContain(`BAR ${barIndex}`);
    expect(reasonFor(3, 0x2000 | barIndex)).toContain('pending bit array');
  });

  it('hides an empty BAR, an upper half and a BAR of I/O', () => {
    expect(reasonFor(4, 0x2003)).toContain('empty');
    const wide = [memory(3, 0x40_0000_0000n, 0x4000n, { is64Bit: true })];
    expect(reasonFor(4, 0x2003, 4, wide)).toContain('upper half');
    expect(reasonFor(2, 0x2003)).toContain('not memory');
    expect(reasonFor(3, 0x2003, 4, [io(3, 0xc000n, 32n)])).toContain('not memory');
  });

  it('hides an area that ends outside the BAR, by one entry and by 4 GiB', () => {
    expect(reasonFor(0x3fc0 + 3, 3)).toContain('ends at byte 16400 of BAR 3, which has 16384');
    expect(reasonFor(0xffff_fff8 + 3, 3)).toContain('table ends');
    expect(reasonFor(3, 0x4000 + 3)).toContain('pending bit array ends');
  });

  it('measures a BAR by what the device has, not by the page a guest sees', () => {
    expect(reasonFor(3, 0x803, 4, [memory(3, 0xfec4_0000n, 0x400n)])).toContain('which has 1024');
  });
});

describe('a table whose MSI-X is hidden is kept from the guest all the same', () => {
  const wide = [memory(3, 0xfec4_0000n, 0x1_0000n)];

  it.each([
    ['for its pending bits', viewWith(0x1003, 0x2006), { offset: 0x1000, sizeBytes: 80 }],
    ['for pending bits on it', viewWith(0x1003, 0x1003), { offset: 0x1000, sizeBytes: 80 }],
    ['because it ends behind its BAR', viewWith(0x3fc3, 3), { offset: 0x3fc0, sizeBytes: 64 }],
    ['because more entries than fit', viewWith(0x9003, 3, 0x7ff, wide), { offset: 0x9000, sizeBytes: 0x7000 }],
    ['because its BAR is none', viewWith(0x0007, 3), undefined],
    ['because it begins behind its BAR', viewWith(0x4003, 3), undefined],
  ])('%s', (_, { withheld }, expected) => {
    expect(withheld).toEqual(expected && { barIndex: 3, ...expected });
  });

  it('of two the first counts: if a guest has it, nothing else is kept; if not, the second is not shown', () => {
    const config = e1000eConfig();
    const bytes = new DataView(config.buffer);
    const first = bytes.getUint8(0x34);
    bytes.setUint8(0x34, 0x40);
    bytes.setUint16(0x40, 0x0011 | (first << 8), true);
    bytes.setUint32(0x44, 0x2003, true);
    bytes.setUint32(0x48, 0x3003, true);
    const sound = buildGuestView(e1000e({ config }));
    expect([sound.msix?.offset, sound.withheld]).toEqual([0x40, undefined]);
    bytes.setUint32(0x48, 0x3006, true);
    const broken = buildGuestView(e1000e({ config }));
    expect([broken.msix, broken.withheld]).toEqual([undefined, { barIndex: 3, offset: 0x2000, sizeBytes: 16 }]);
    expect(broken.hidden.filter(({ id }) => id === 0x11)).toMatchObject([
      { offset: 0x40, reason: expect.stringContaining('BAR 6') as string },
      { offset: 0xa0, reason: expect.stringContaining('only the first counts') as string },
    ]);
  });
});

it.each([
  ['of an MSI-X that a guest has', viewWith(3, 0x2003), [0x0n, 0x50n, 0x2000n, 0x2008n]],
  ['of a hidden one', viewWith(0x1003, 0x1003), [0x1000n, 0x1050n, 0x1000n, 0x1008n]],
  ['outside its BAR', viewWith(0x2_0003, 0x2003), [0x2_0000n, 0x2_0050n, 0x2000n, 0x2008n]],
  ['as far as it is in memory', viewWith(0x0006, 0x2003), [0x2000n, 0x2008n]],
])('table and pending bits are named as the device says them, for the host: %s', (_, view, expected) => {
  const start = view.bars.find(({ index }) => index === 3)?.hostStart ?? 0n;
  expect(view.hostReadOnly.flatMap((range) => [range.start - start, range.end - start])).toEqual(expected);
});

it('offers the latched size and lets a guest change enable and function mask', () => {
  const rule = viewWith(3, 0x2003, 0xc004).words[0xa0 >>> 2]?.rule;
  expect(rule).toMatchObject({ virtual: 0xffff_ffff, reset: 0x0004_0011, hardwareWrite: 0 });
  expect(rule).toMatchObject({ shadowWrite: 0xc000_0000, notify: 0xc000_0000 });
});
