import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { cardName, home } from '../support/rig.js';

/** BARs of the card, and where a guest may put them: their own places, each other's, and one that is free. */
const places = [home.bar0, home.bar1, home.bar3, home.bar0 + 0x10_0000];

it('XSA-154: no frame of the device is mapped twice at once, whatever the guest writes into BARs and COMMAND', () => {
  const move = fc.record({ bar: fc.constantFrom(0, 1, 3), place: fc.constantFrom(...places), decode: fc.boolean() });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 20 }), (moves) => {
      const rig = runningRig();
      for (const { bar, place, decode } of moves) {
        rig.guest().writeConfig(0x10 + 4 * bar, place);
        rig.guest().command(decode ? 2 : 0);
        const frames = rig.hypervisor
          .mappedFrames()
          .flatMap(([, mfn, count]) => Array.from({ length: Number(count) }, (_, index) => mfn + BigInt(index)));
        expect(new Set(frames).size).toBe(frames.length);
      }
      expect(rig.hypervisor.violations).toEqual([]);
      rig.model.detach(cardName);
      rig.hypervisor.assertBaseline();
    }),
    { numRuns: 100 },
  );
});
