import { describeDenied } from '@xenpt/pci';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeniedWrites } from '../src/denied-writes.js';
import { fullAt, fullCard, runningRig } from './support/full-card.js';
import { cardName, makeRig } from './support/rig.js';

const rule = { virtual: 0, reset: 0, shadowWrite: 0, hardwareWrite: 0, rw1c: 0, notify: 0 };

describe('the counters', () => {
  it('count by byte what would change, and keep the bits', () => {
    const denied = new DeniedWrites([{ index: 1, rule, deniable: 0x00ff_ff00 }]);
    denied.note(1, 0xffff_ffff, 0xffff_00ff, 0x0000_0000);
    denied.note(1, 0x0000_ff00, 0x0000_1000, 0x0000_0000);
    denied.note(1, 0x0000_ff00, 0x0000_5500, 0x0000_5500);
    expect(denied.list()).toEqual([
      { offset: 5, mask: 0x10, count: 1 },
      { offset: 6, mask: 0xff, count: 1 },
    ]);
  });

  it('know that a 1 clears: a 0 asks for nothing there', () => {
    const denied = new DeniedWrites([{ index: 0, rule: { ...rule, rw1c: 0xff }, deniable: 0xff }]);
    denied.note(0, 0xff, 0x00, 0xff);
    expect(denied.list()).toEqual([]);
    denied.note(0, 0xff, 0x0f, 0x09);
    expect(denied.list()).toEqual([{ offset: 0, mask: 0x09, count: 1 }]);
  });

  it('never take more than one entry a byte, whatever is written', () => {
    const words = Array.from({ length: 64 }, (_, index) => ({ index, rule, deniable: 0xffff_ffff }));
    const write = fc.tuple(fc.nat(63), fc.integer(), fc.integer(), fc.integer());
    fc.assert(
      fc.property(fc.array(write, { maxLength: 200 }), (writes) => {
        const denied = new DeniedWrites(words);
        for (const [word, lanes, value, current] of writes) denied.note(word, lanes, value, current);
        expect(denied.list().length).toBeLessThanOrEqual(256);
        for (const { offset, mask, count } of denied.list()) {
          expect([offset < 256, mask > 0, mask < 256, count > 0 && count <= writes.length]).not.toContain(false);
        }
      }),
    );
  });
});

describe('of a function', () => {
  it('what firmware does to find BARs is not held against the guest', () => {
    const rig = runningRig();
    for (let index = 0; index < 7; index += 1) rig.guest().sizeOfBar(index);
    expect(rig.model.view(cardName).denied).toEqual([]);
  });

  it('a driver that needs a vendor’s register is found out, and helped by what the list says', () => {
    const field = fullAt.vendor + 4;
    const rig = runningRig();
    for (let round = 0; round < 3; round += 1) rig.guest().writeConfig(field, 0x81, 1);
    const { denied, host } = rig.model.view(cardName);
    const named = describeDenied(host, denied);
    expect(named).toMatchObject([{ group: 'Vendor Specific', name: 'byte 4', mask: 0x81, count: 3 }]);

    const helped = makeRig({ images: [fullCard()] });
    helped.device.opened.add(field);
    helped.attach({ allow: named.flatMap(({ allow }) => allow ?? []) });
    helped.guest().writeConfig(field, 0x81, 1);
    expect(helped.device.read(field, 1)).toBe(0x81);
    expect(helped.model.view(cardName).denied).toEqual([]);
    expect(helped.hypervisor.violations).toEqual([]);
  });

  it('an attach with a field that cannot be opened is refused and leaves nothing', () => {
    const rig = makeRig({ images: [fullCard()] });
    expect(() => rig.attach({ allow: ['msi-x@0xa0+2:0x80'] })).toThrow(/cannot be opened/);
    rig.hypervisor.assertBaseline();
    expect(rig.device.writes).toEqual([]);
  });
});
