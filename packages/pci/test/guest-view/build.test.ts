import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PciError, buildGuestView, decodeConfigSpace } from '../../src/index.js';
import { hostileImage } from '../support/arbitrary.js';
import { e1000e, e1000eConfig } from '../support/e1000e.js';
import { fastestMs } from '../support/fastest.js';
import { byteRule, guestChain, initialGuestBytes } from '../support/guest.js';
import { ImageBuilder, functionImage } from '../support/image.js';

describe('an 82574L', () => {
  const view = buildGuestView(e1000e());
  const bytes = initialGuestBytes(view, e1000eConfig());
  const guest = decodeConfigSpace(bytes);

  it('shows every capability, in order', () => {
    expect(guestChain(bytes)).toEqual([0xc8, 0xd0, 0xe0, 0xa0]);
    expect([view.hidden, view.chainFault]).toEqual([[], null]);
  });

  it('shows ids, class and pin of the device, and a command nobody set', () => {
    expect(guest.header.vendorId.value).toBe(0x8086);
    expect(guest.header.deviceId.value).toBe(0x10d3);
    expect(guest.classCode).toBe(0x02_0000);
    expect(guest.header.command.value & 0x0743).toBe(0);
    expect(guest.header.interruptPin.value).toBe(1);
    expect(guest.header.interruptLine.value).toBe(0);
    expect(guest.header.headerType.value).toBe(0);
  });

  it('shows BARs without an address, I/O by its type bit', () => {
    expect(
      ['bar0', 'bar1', 'bar2', 'bar3', 'bar4', 'bar5', 'expansionRom'].map((name) => {
        return guest.header[name as keyof typeof guest.header].value;
      }),
    ).toEqual([0, 0, 1, 0, 0, 0, 0]);
  });

  it('lists BARs and messages', () => {
    expect(view.bars.map(({ index, kind, sizeBytes }) => [index, kind, sizeBytes])).toEqual([
      [0, 'memory', 0x2_0000n],
      [1, 'memory', 0x2_0000n],
      [2, 'io', 32n],
      [3, 'memory', 0x4000n],
      [6, 'rom', 0x4_0000n],
    ]);
    expect(view.msi).toMatchObject({ offset: 0xd0, is64Bit: true });
    expect(view.msix).toMatchObject({ offset: 0xa0, vectorCount: 5 });
    expect(view.command).toEqual({ offset: 4 });
    expect(view.interruptPin).toBe(1);
  });

  it('follows the command policy bit by bit', () => {
    expect(view.words[1]?.rule).toEqual({
      virtual: 0x0010_0743,
      reset: 0x0010_0000,
      shadowWrite: 0x0743,
      hardwareWrite: 0x0004,
      rw1c: 0xf900_0000,
      notify: 0x0403,
    });
  });

  it('offers no power event and says that D3 loses nothing', () => {
    expect(bytes[0xca]).toBe(0x23);
    expect((bytes[0xcb] ?? 0) & 0xf8).toBe(0);
    expect(bytes[0xcc]).toBe(0x08);
    expect(byteRule(view, 0xcc).shadowWrite).toBe(0x03);
  });
});

describe('circumstances', () => {
  it('decide the multifunction bit, not the device', () => {
    const config = e1000eConfig();
    config[0x0e] = 0x80;
    expect(byteRule(buildGuestView(e1000e({ config })), 0x0e)).toMatchObject({ virtual: 0xff, reset: 0 });
    expect(byteRule(buildGuestView(e1000e(), { multifunction: true }), 0x0e).reset).toBe(0x80);
  });

  it('decide the interrupt pin: without a host interrupt there is none', () => {
    expect(buildGuestView(e1000e({ irq: 0 })).interruptPin).toBe(0);
    const config = e1000eConfig();
    config[0x3d] = 5;
    const view = buildGuestView(e1000e({ config }));
    expect([view.interruptPin, byteRule(view, 0x3d)]).toEqual([0, { virtual: 0xff, reset: 0, shadowWrite: 0 }]);
  });

  it('give a virtual function the ids the host knows', () => {
    const config = e1000eConfig().fill(0xff, 0, 4);
    const bytes = initialGuestBytes(buildGuestView(e1000e({ config, vendorId: 0x8086, deviceId: 0x10ed })), config);
    expect([...bytes.subarray(0, 4)]).toEqual([0x86, 0x80, 0xed, 0x10]);
  });

  it('refuse ids that are none', () => {
    expect(() => buildGuestView(e1000e({ vendorId: 0xffff }))).toThrow(/no function/);
    expect(() => buildGuestView(e1000e({ deviceId: 0x1_0000 }))).toThrow(RangeError);
  });

  it('leave 64 bytes without capabilities but with a reason', () => {
    const config = e1000eConfig().slice(0, 64);
    const view = buildGuestView(e1000e({ config }));
    expect(guestChain(initialGuestBytes(view, config))).toEqual([]);
    expect(view.chainFault).toContain('64 bytes');
  });
});

describe('hidden capabilities', () => {
  const config = new ImageBuilder()
    .chain({ at: 0x40, id: 0x02 }, { at: 0x80, id: 0x01 }, { at: 0x90, id: 0x7a }, { at: 0xa0, id: 0x03 })
    .u8(0x42, 0x35)
    .u32(0x94, 0x1234_5678).config;
  config.fill(0xa5, 0x44, 0x70);
  const view = buildGuestView(functionImage(config));
  const bytes = initialGuestBytes(view, config);

  it('are unlinked', () => {
    expect(guestChain(bytes)).toEqual([0x80, 0xa0]);
    expect(view.hidden.map(({ offset, name }) => [offset, name])).toEqual([
      [0x40, 'AGP'],
      [0x90, 'Capability 0x7a'],
    ]);
  });

  it('read 0 and take no write', () => {
    for (let offset = 0x40; offset < 0x70; offset += 1) {
      expect(byteRule(view, offset)).toEqual({ virtual: 0xff, reset: 0, shadowWrite: 0 });
    }
    expect([...bytes.subarray(0x90, 0x94)]).toEqual([0, 0, 0, 0]);
  });

  it('of unknown length conceal their head only', () => {
    expect([...bytes.subarray(0x94, 0x98)]).toEqual([0x78, 0x56, 0x34, 0x12]);
  });

  it('never touch the bytes of a visible one', () => {
    const overlapped = new ImageBuilder()
      .chain({ at: 0x40, id: 0x02 }, { at: 0x50, id: 0x01 })
      .u16(0x52, 0x0023).config;
    const read = initialGuestBytes(buildGuestView(functionImage(overlapped)), overlapped);
    expect(guestChain(read)).toEqual([0x50]);
    expect(read[0x52]).toBe(0x23);
  });

  it('clear the status bit when nothing is left', () => {
    const only = new ImageBuilder().chain({ at: 0x40, id: 0x02 }).config;
    const read = initialGuestBytes(buildGuestView(functionImage(only)), only);
    expect([(read[6] ?? 0) & 0x10, read[0x34]]).toEqual([0, 0]);
  });
});

describe('any device', () => {
  const everyView = (check: (view: ReturnType<typeof buildGuestView>, config: Uint8Array) => void): void => {
    fc.assert(
      fc.property(hostileImage, (image) => {
        try {
          expect(fastestMs(() => buildGuestView(image), 100)).toBeLessThan(100);
          check(buildGuestView(image), image.config);
        } catch (error) {
          if (!(error instanceof PciError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  };

  it('gives legal rules for 64 words, and writes to the device where it may', () => {
    everyView((view, config) => {
      const vpd = decodeConfigSpace(config).capabilities.find(({ id }) => id === 0x03);
      expect(view.words.map(({ index }) => index)).toEqual(Array.from({ length: 64 }, (_, index) => index));
      for (const { index, rule } of view.words) {
        for (const mask of Object.values(rule)) expect(mask >>> 0).toBe(mask);
        expect((rule.shadowWrite & ~rule.virtual) >>> 0).toBe(0);
        expect((rule.hardwareWrite & rule.virtual) >>> 0).toBe(0);
        expect((rule.notify & ~rule.shadowWrite) >>> 0).toBe(0);
        const allowed = index === 1 ? 0x4 : vpd?.offset === 4 * index ? 0x7fff_0000 : 0;
        expect((rule.hardwareWrite & ~allowed) >>> 0).toBe(0);
        // Flag F of the product data is 0 in whatever reaches the device.
        if (index !== 1 && rule.hardwareWrite !== 0) expect(rule.rw1c >>> 31).toBe(1);
      }
    });
  });

  it('gives a list that ends and visits exactly what is visible', () => {
    everyView((view, config) => {
      const hidden = new Set(view.hidden.map(({ offset }) => offset));
      const visible = decodeConfigSpace(config)
        .capabilities.map(({ offset }) => offset)
        .filter((offset) => !hidden.has(offset));
      expect(guestChain(initialGuestBytes(view, config))).toEqual(visible);
    });
  });

  it('does not change its list, whatever it answers later', () => {
    everyView((view, config) => {
      const before = guestChain(initialGuestBytes(view, config));
      expect(guestChain(initialGuestBytes(view, new Uint8Array(256).fill(0xff)))).toEqual(before);
      expect(guestChain(initialGuestBytes(view, new Uint8Array(256)))).toEqual(before);
    });
  });

  it('has messages only where a guest sees them, inside the BARs', () => {
    everyView(({ msi, msix, bars, hidden }) => {
      for (const geometry of [msi, msix]) {
        if (geometry !== undefined) expect(hidden.some(({ offset }) => offset === geometry.offset)).toBe(false);
      }
      if (msix === undefined) return;
      const table = bars.find(({ index }) => index === msix.tableBarIndex);
      expect(table?.kind).toBe('memory');
      expect(BigInt(msix.tableOffset + 16 * msix.vectorCount) <= (table?.hostSizeBytes ?? 0n)).toBe(true);
    });
  });
});
