import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DeviceModelError } from '../src/errors.js';
import { bytesWritten, fullCard } from './support/full-card.js';
import { cardName, makeRig, placeAll } from './support/rig.js';

/** Changes that a broken or hostile device makes to its list and its capabilities. */
const change = fc.record({
  at: fc.oneof(fc.constant(0x34), fc.integer({ min: 0x40, max: 0xff }), fc.integer({ min: 0, max: 0x3f })),
  value: fc.oneof(
    fc.integer({ min: 0, max: 0xff }),
    fc.constantFrom(0, 1, 3, 5, 9, 0x10, 0x11, 0x13, 0x40, 0xa0, 0xff),
  ),
});

/** COMMAND, and message control of 16 bits wherever the guest's view has found one. */
function isDocumented(offset: number, width: number): boolean {
  return (offset >= 4 && offset + width <= 6) || (offset >= 0x40 && width === 2 && offset % 4 === 2);
}

it('a hostile device is attached with a view that works or refused clearly; the host writes what is documented', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const image = fullCard();
      for (const { at, value } of changes) image.config[at] = value;
      const rig = makeRig({ images: [image] });
      try {
        rig.attach();
      } catch (error) {
        expect(error).toBeInstanceOf(DeviceModelError);
        expect(bytesWritten(rig)).toEqual(new Set());
        expect(rig.hypervisor.held()).toEqual([]);
        return;
      }
      for (const { offset, width } of rig.device.writes) expect(isDocumented(offset, width)).toBe(true);
      placeAll(rig.guest());
      for (let offset = 0; offset < 256; offset += 4) {
        expect(rig.guest().readConfig(offset) >>> 0).toBe(rig.guest().readConfig(offset));
      }
      // The list ends and stays inside.
      let pointer = (rig.guest().readConfig(6, 2) & 0x10) === 0 ? 0 : rig.guest().readConfig(0x34, 1);
      for (let hops = 0; pointer !== 0; hops += 1) {
        expect([hops < 48, pointer >= 0x40, pointer % 4]).toEqual([true, true, 0]);
        pointer = rig.guest().readConfig(pointer + 1, 1);
      }
      rig.model.detach(cardName);
      expect([rig.faults, rig.hypervisor.held()]).toEqual([[], []]);
    }),
    { numRuns: 1000 },
  );
});

it('a device that is pulled out while it is attached, used and released leaves nothing behind', () => {
  for (let step = 0; step < 4; step += 1) {
    const rig = makeRig({ images: [fullCard()] });
    const gone = (now: number): void => {
      if (step === now) rig.device.present = false;
    };
    gone(0);
    try {
      rig.attach();
    } catch (error) {
      expect(error).toBeInstanceOf(DeviceModelError);
      rig.hypervisor.assertBaseline();
      continue;
    }
    gone(1);
    placeAll(rig.guest());
    gone(2);
    for (let offset = 0; offset < 256; offset += 1) rig.guest().writeConfig(offset, 0xff, 1);
    gone(3);
    rig.model.detach(cardName);
    expect([rig.faults, rig.hypervisor.held()]).toEqual([[], []]);
  }
});
