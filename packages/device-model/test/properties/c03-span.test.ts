import { expect, it } from 'vitest';
import { bytesWritten, everyAccess, fullCard, runningRig } from '../support/full-card.js';
import { at } from '../support/network-card.js';
import { makeRig, placeAll, type Rig } from '../support/rig.js';

/** COMMAND (bus master below, INTx disable above) and the address of the product data: nothing else ever. */
const passing = new Set([4, 5, at.vpd + 2, at.vpd + 3]);
/** Written by the interrupt state machine, as 16 bits. */
const control = new Set([at.msi + 2, at.msi + 3, at.msix + 2, at.msix + 3]);

/** A reset prepares COMMAND anew, which is the host's write. */
function rigWithoutReset(): Rig {
  const rig = makeRig({ images: [fullCard()] });
  Object.defineProperty(rig.device, 'reset', { value: undefined });
  rig.attach();
  placeAll(rig.guest());
  return rig;
}

it.each([0, 0xffff_ffff, 0x5555_5555, 0xaaaa_aaaa])(
  'C3: whatever access writes %i, the device is given its own bytes only',
  (value) => {
    const rig = rigWithoutReset();
    for (const [offset, width] of everyAccess) {
      const since = rig.device.writes.length;
      rig.guest().writeConfig(offset, value, width);
      const written = bytesWritten(rig, since);
      // Awake again for the next.
      rig.guest().writeConfig(at.powerManagement + 4, 0, 2);
      for (const byte of written) {
        const asked = passing.has(byte) && byte >= offset && byte < offset + width;
        expect(asked || control.has(byte), `byte ${byte} by a write of ${width} at ${offset}`).toBe(true);
      }
    }
    expect(rig.hypervisor.violations).toEqual([]);
  },
);

it('C3: message control is written in 16 bits, with no more than its enable bits changed', () => {
  const rig = runningRig();
  for (const [offset, value] of [
    [at.msi + 2, 0xffff],
    [at.msix + 2, 0xffff],
    [at.msix, 0xffff_ffff],
  ] as const) {
    rig.guest().writeConfig(offset, value, offset === at.msix ? 4 : 2);
    rig.guest().writeConfig(offset, 0, offset === at.msix ? 4 : 2);
  }
  for (const { offset, width } of rig.device.writes.filter(({ offset }) => control.has(offset))) {
    expect([at.msi + 2, at.msix + 2]).toContain(offset);
    expect(width).toBe(2);
  }
  expect(rig.device.violations).toEqual([]);
});
