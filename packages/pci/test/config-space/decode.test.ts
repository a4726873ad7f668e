import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PciError, buildGuestView, decodeConfigSpace, describeRegisters } from '../../src/index.js';
import { hostileConfig } from '../support/arbitrary.js';
import { e1000e, e1000eConfig } from '../support/e1000e.js';
import { fastestMs } from '../support/fastest.js';
import { initialGuestBytes } from '../support/guest.js';
import { ImageBuilder } from '../support/image.js';

describe('an 82574L', () => {
  const decoded = decodeConfigSpace(e1000eConfig());

  it('has its header', () => {
    expect(decoded.header.vendorId.value).toBe(0x8086);
    expect(decoded.header.deviceId.value).toBe(0x10d3);
    expect(decoded.classCode).toBe(0x02_0000);
    expect(decoded.header.command.fields).toMatchObject({
      ioSpace: 1,
      memorySpace: 1,
      busMaster: 1,
      interruptDisable: 1,
    });
    expect(decoded.multifunction).toBe(false);
    expect(decoded.bars.map(({ kind }) => kind)).toEqual(['memory', 'memory', 'io', 'memory', 'none', 'none']);
  });

  it('has its capabilities in its order', () => {
    expect(decoded.capabilities.map(({ offset, name }) => [offset, name])).toEqual([
      [0xc8, 'Power Management'],
      [0xd0, 'MSI'],
      [0xe0, 'PCI Express'],
      [0xa0, 'MSI-X'],
    ]);
    expect(decoded.capabilities[3]?.registers['messageControl']?.fields).toMatchObject({ tableSize: 4, enable: 0 });
    expect(decoded.capabilities[2]?.registers['deviceCapabilities']?.fields).toMatchObject({ functionLevelReset: 1 });
    expect([decoded.hidden, decoded.chainFault]).toEqual([[], null]);
  });

  it('is described register by register, by offset', () => {
    const lines = describeRegisters(e1000eConfig());
    const offsets = lines.map(({ offset }) => offset);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect(lines.find(({ offset }) => offset === 0xa2)).toEqual({
      offset: 0xa2,
      width: 2,
      name: 'messageControl',
      value: 4,
      group: 'MSI-X',
      fields: [
        { name: 'tableSize', value: 4 },
        { name: 'functionMask', value: 0 },
        { name: 'enable', value: 0 },
      ],
    });
  });

  it('is described at the same offsets as its guest sees it', () => {
    const host = describeRegisters(e1000eConfig());
    const guest = describeRegisters(initialGuestBytes(buildGuestView(e1000e()), e1000eConfig()));
    expect(guest.map(({ offset, name }) => [offset, name])).toEqual(host.map(({ offset, name }) => [offset, name]));
    expect(guest.find(({ name }) => name === 'bar0')?.value).toBe(0);
  });
});

describe('what cannot be decoded', () => {
  it.each([0, 63, 128, 255, 257, 4095])('%i bytes', (length) => {
    expect(() => decodeConfigSpace(new Uint8Array(length))).toThrow(
      expect.objectContaining({ code: 'PCI_CONFIG_LENGTH' }) as Error,
    );
  });

  it.each([1, 2, 0x7e])('header type %i', (layout) => {
    expect(() => decodeConfigSpace(new ImageBuilder().u8(0x0e, layout | 0x80).config)).toThrow(
      expect.objectContaining({ code: 'PCI_HEADER_TYPE_UNSUPPORTED' }) as Error,
    );
  });

  it('a device that answers all ones', () => {
    expect(() => decodeConfigSpace(new Uint8Array(256).fill(0xff))).toThrow(
      expect.objectContaining({ code: 'PCI_FUNCTION_ABSENT' }) as Error,
    );
  });
});

describe('a hostile list', () => {
  const faultOf = (image: ImageBuilder): string | null => decodeConfigSpace(image.config).chainFault;

  it('is not followed when the status does not announce it', () => {
    const decoded = decodeConfigSpace(new ImageBuilder().chain({ at: 0x40, id: 1 }).u16(0x06, 0).config);
    expect([decoded.capabilities, decoded.chainFault]).toEqual([[], null]);
  });

  it('may point into the header, back to itself, or to nothing', () => {
    expect(faultOf(new ImageBuilder().chain({ at: 0x40, id: 1 }).u8(0x41, 0x3c))).toContain('inside the header');
    expect(faultOf(new ImageBuilder().chain({ at: 0x40, id: 1 }).u8(0x41, 0x40))).toContain('second time');
    expect(faultOf(new ImageBuilder().chain({ at: 0x40, id: 1 }, { at: 0x50, id: 0xff }))).toContain('all ones');
  });

  it('may be longer than what can be read', () => {
    expect(faultOf(new ImageBuilder(64).u16(0x06, 0x10).u8(0x34, 0x40))).toContain('only 64 bytes');
  });

  it('may fill every word there is', () => {
    const slots = Array.from({ length: 48 }, (_, index) => ({ at: 0x40 + 4 * index, id: 0x0d }));
    const decoded = decodeConfigSpace(new ImageBuilder().chain(...slots).config);
    expect([decoded.hidden.length, decoded.chainFault]).toEqual([48, null]);
  });

  it('has the low bits of its pointers masked', () => {
    const decoded = decodeConfigSpace(new ImageBuilder().chain({ at: 0x40, id: 1 }).u8(0x34, 0x43).config);
    expect(decoded.capabilities).toMatchObject([{ offset: 0x40 }]);
  });
});

describe('what is hidden', () => {
  const hiddenOf = (image: ImageBuilder) => decodeConfigSpace(image.config).hidden;

  it('is the later of two that overlap', () => {
    const decoded = decodeConfigSpace(new ImageBuilder().chain({ at: 0x44, id: 3 }, { at: 0x40, id: 1 }).config);
    expect(decoded.capabilities).toMatchObject([{ offset: 0x44 }]);
    expect(decoded.hidden).toMatchObject([{ offset: 0x40, reason: 'it overlaps Vital Product Data at 0x44' }]);
  });

  it('is what would end behind the last byte', () => {
    expect(hiddenOf(new ImageBuilder().chain({ at: 0xfc, id: 1 }))).toMatchObject([
      { reason: 'it would end at byte 260; there are 256' },
    ]);
  });

  it('is the second of a kind, unless there may be several', () => {
    const image = new ImageBuilder()
      .chain({ at: 0x40, id: 1 }, { at: 0x50, id: 1 }, { at: 0x60, id: 9 }, { at: 0x70, id: 9 })
      .u8(0x62, 16)
      .u8(0x72, 3);
    expect(hiddenOf(image)).toMatchObject([{ offset: 0x50, reason: expect.stringContaining('first') as string }]);
    expect(decodeConfigSpace(image.config).capabilities.map(({ offset }) => offset)).toEqual([0x40, 0x60, 0x70]);
  });

  it('is a vendor’s capability shorter than its own header', () => {
    expect(hiddenOf(new ImageBuilder().chain({ at: 0x40, id: 9 }).u8(0x42, 2))).toMatchObject([
      { reason: expect.stringContaining('length is 2') as string },
    ]);
  });

  it('has a reason when known by name only, and when unknown', () => {
    expect(hiddenOf(new ImageBuilder().chain({ at: 0x40, id: 2 }, { at: 0x80, id: 0x42 }))).toMatchObject([
      { name: 'AGP', reason: expect.stringContaining('bus') as string },
      { name: 'Capability 0x42', reason: expect.stringContaining('unknown') as string },
    ]);
  });
});

it('throws nothing but PciError and ends soon, whatever the bytes', () => {
  const anything = fc.oneof(
    hostileConfig,
    fc.uint8Array({ minLength: 256, maxLength: 256 }),
    fc.uint8Array({ maxLength: 300 }),
  );
  fc.assert(
    fc.property(anything, (config) => {
      const decode = (): void => {
        try {
          decodeConfigSpace(config);
          describeRegisters(config);
        } catch (error) {
          if (!(error instanceof PciError)) throw error;
        }
      };
      expect(fastestMs(decode, 100)).toBeLessThan(100);
    }),
    { numRuns: 1000 },
  );
});
