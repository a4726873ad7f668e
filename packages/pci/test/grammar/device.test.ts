import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dialectNames, formatDevice, GrammarError, parseDevice, toXenSbdf } from '../../src/grammar/index.js';
import { anySpec } from './arbitrary.js';

const card = { segment: 0, bus: 3, device: 0, function: 0 };
const all = { ...card, function: '*' };

export function failure(text: string): GrammarError {
  try {
    parseDevice(text);
  } catch (error) {
    if (error instanceof GrammarError) return error;
    throw error;
  }
  throw new Error(`"${text}" is read`);
}

describe('every dialect', () => {
  it.each(dialectNames)('%s: what is written is read back, in its own dialect and by its shape', (dialect) => {
    fc.assert(
      fc.property(anySpec(dialect), (spec) => {
        const text = formatDevice(spec, dialect);
        expect(parseDevice(text, dialect)).toEqual({ dialect, ...spec });
        const { dialect: found, ...byShape } = parseDevice(text);
        expect(byShape).toEqual(spec);
        // An xl spec with nothing but its address is a plain address.
        expect([dialect, 'canonical']).toContain(found);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['0000:03:00.0', 'canonical', { address: card }],
    ['03:00.0', 'short', { address: card }],
    ['03:00.*', 'short', { address: all }],
    ['03:00', 'card', { address: all }],
    ['0000:03:00', 'card', { address: all }],
    ['03:00.0@a', 'xl', { address: card, virtualSlot: 10 }],
    ['03:00.0@20', 'xl', undefined],
    ['03:00.0@10,seize=1', 'xl', { address: card, virtualSlot: 16, options: { seize: true } }],
    ['bdf=0000:03:00.0,vslot=1f', 'xl', { address: card, virtualSlot: 31 }],
    ['03:00.0,permissive=0,rdm_policy=strict', 'xl', { options: { permissive: false, rdm_policy: 'strict' } }],
    ['name=uplink,msitranslate=1', 'xl', { name: 'uplink', options: { msitranslate: true } }],
    ['(0000:03:00.0)', 'pciback', { address: card }],
    ['(03:00.*)', 'pciback', { address: all }],
    ['0/0000:03:00.0', 'xapi', { address: card, order: 0 }],
    ['dom0:03_00.0', 'qubes', { address: card, backend: 'dom0' }],
    ['sys-net:0001_03_00.0', 'qubes', { address: { ...card, segment: 1 }, backend: 'sys-net' }],
    ['pci_0000_03_00_0', 'libvirt', { address: card }],
    ["<address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>", 'libvirt-xml', { address: card }],
    ['<address bus="3" slot="0" function="0" />', 'libvirt-xml', { address: card }],
    ['host=03:00.0', 'qemu', { address: card }],
    ['hostaddr=0000:03:00.0', 'qemu', { address: card }],
    ['pci-pt-03_00.0', 'qdev', { address: card }],
    ['/sys/bus/pci/devices/0000:03:00.0', 'sysfs', { address: card }],
    ['/sys/devices/pci0000:00/0000:00:1c.0/0000:03:00.0/resource', 'sysfs', { address: card }],
    ['10000:e0:06.0', 'canonical', { address: { segment: 0x10000, bus: 0xe0, device: 6, function: 0 } }],
  ] as const)('%s is %s', (text, dialect, expected) => {
    if (expected === undefined) expect(failure(text).column).toBe(9);
    else expect(parseDevice(text)).toMatchObject({ dialect, ...expected });
  });
});

describe('a mistake', () => {
  it.each([
    ['03:00.8', 7, undefined],
    ['03:20.0', 4, '0000:03:14.0'],
    ['03:31.0', 4, '0000:03:1f.0'],
    ['03::00.0', 4, '0000:03:00.0'],
    ['0000::03:00.0', 6, '0000:03:00.0'],
    ['3:0.0', 1, '0000:03:00.0'],
    ['000:03:00.0', 1, '0000:03:00.0'],
    ['0000:03:00:0', 11, '0000:03:00.0'],
    ['0000.03.00.0', 1, '0000:03:00.0'],
    ['O3:00.0', 1, '03:00.0'],
    [' 03:00.0', 1, '03:00.0'],
    ['03:00.0@20', 9, undefined],
    ['03:00.0@0x1g', 12, undefined],
    ['03:00.0,permisive=1', 9, '03:00.0,permissive=1'],
    ['03:00.0,seize=yes', 15, undefined],
    ['03:00.0,seize=1,seize=0', 17, undefined],
    ['03:00.0,', 9, undefined],
    ['03:00.0@5,vslot=6', 11, undefined],
    ['bdf=3:0.0', 5, 'bdf=0000:03:00.0'],
    ['0/03:00.0', 3, '0/0000:03:00.0'],
    ['pci_0000_03_00', 15, 'pci_0000_03_00_0'],
    ['dom0:03:00.0', 1, undefined],
    ['pci-pt-03:00.0', 10, 'pci-pt-03_00.0'],
    ["<address bus='10' slot='0' function='0'/>", 15, undefined],
    ["<address bus='0x03' slot='0x20' function='0'/>", 27, undefined],
    ['/sys/bus/pci/drivers/e1000e', 1, undefined],
    ['eth0', 1, undefined],
    ['', 1, undefined],
  ])('%j is told at column %i, and meant is %s', (text, column, suggestion) => {
    const error = failure(text);
    expect([error.code, error.column, error.suggestion]).toEqual(['PCI_GRAMMAR', column, suggestion]);
    expect(error.message).toContain(`column ${column}: ${error.problem}.`);
    if (suggestion !== undefined) expect(error.nextStep).toBe(`Did you mean ${suggestion}?`);
  });

  it('is a GrammarError and nothing else, its column is in the text, and what it suggests is read', () => {
    const near = fc.stringMatching(/^[0-9a-fx:._@,=()/<>*' -]{0,30}$/);
    const broken = fc
      .tuple(
        fc.constantFrom(...dialectNames).chain((dialect) => anySpec(dialect).map((spec) => [spec, dialect] as const)),
        fc.nat(60),
        fc.string({ maxLength: 2 }),
      )
      .map(([[spec, dialect], at, noise]) => {
        const text = formatDevice(spec, dialect);
        return text.slice(0, at) + noise + text.slice(at + 1);
      });
    fc.assert(
      fc.property(fc.oneof(fc.string(), near, broken), (text) => {
        try {
          parseDevice(text);
        } catch (error) {
          if (!(error instanceof GrammarError)) throw error;
          expect(error.column).toBeGreaterThanOrEqual(1);
          expect(error.column).toBeLessThanOrEqual(text.length + 1);
          expect(error.message.length).toBeLessThan(600);
          if (error.suggestion !== undefined) parseDevice(error.suggestion);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('of any length costs no more than a line', () => {
    for (const text of [':', '0', '(', 'a=', '/0:', '<address ', '03:00.0,']) {
      expect(failure(text.repeat(1_000_000)).message.length).toBeLessThan(400);
    }
  });
});

describe('what a dialect cannot say', () => {
  it('is refused when it is written', () => {
    const behindVmd = { address: { ...card, segment: 0x10000 }, options: {} };
    expect(() => formatDevice(behindVmd, 'xl')).toThrow(/VMD/);
    expect(() => formatDevice(behindVmd, 'pciback')).toThrow(RangeError);
    expect(() => formatDevice({ address: { ...card, segment: 1 }, options: {} }, 'qdev')).toThrow(/qdev cannot name/);
    expect(() => formatDevice({ address: { ...card, function: '*' }, options: {} }, 'sysfs')).toThrow(RangeError);
    expect(() => formatDevice({ name: 'a,b', options: {} }, 'xl')).toThrow(RangeError);
  });

  it('is refused on Xen', () => {
    expect(toXenSbdf(card)).toEqual(card);
    expect(() => toXenSbdf({ ...card, segment: 0x10000 })).toThrow(/segment 10000.*VMD/);
    expect(() => toXenSbdf({ ...card, function: '*' })).toThrow(RangeError);
  });
});
