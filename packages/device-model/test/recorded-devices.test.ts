import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { everyAccess } from './support/full-card.js';
import { placeBars, recordedDevices as devices } from './support/recorded.js';
import { cardName, makeRig, slot } from './support/rig.js';

describe.each(devices)('$name ($place)', ({ image }) => {
  it('is attached, placed, overrun with writes and given back, and no rule is broken', () => {
    const rig = makeRig({ images: [image] });
    rig.attach();
    placeBars(rig, image.resources);
    const mappable = image.resources.filter(({ index }) => index !== 6).length;
    const { bars } = rig.model.view(cardName);
    expect(bars.filter(({ mapped }) => mapped).length).toBe(mappable);
    for (const value of [0xffff_ffff, 0, 0x5555_5555, 0xaaaa_aaaa]) {
      for (const [offset, width] of everyAccess) rig.guest(slot).writeConfig(offset, value, width);
    }
    expect([rig.faults, rig.hypervisor.violations]).toEqual([[], []]);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });
});

it('any life of any recorded device breaks no rule and leaves nothing', () => {
  const access = fc.tuple(
    fc.constantFrom(...everyAccess),
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.constantFrom(0, 1, 3, 7, 0x407, 0x8000, 0xc000, 0xf000_0000),
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom(...devices), fc.array(access, { maxLength: 80 }), ({ image }, accesses) => {
      const rig = makeRig({ images: [image] });
      rig.attach();
      placeBars(rig, image.resources);
      for (const [[offset, width], value] of accesses) rig.guest().writeConfig(offset, value, width);
      expect([rig.faults, rig.hypervisor.violations]).toEqual([[], []]);
      rig.model.detach(cardName);
      rig.hypervisor.assertBaseline();
    }),
    { numRuns: 500 },
  );
});
