import { expect, it } from 'vitest';
import { fullCard } from '../support/full-card.js';
import { cardName, makeRig, placeAll, type Rig } from '../support/rig.js';

/** With the table of MSI-X in its second page, the last BAR is mapped in two pieces. */
const image = fullCard({ msixTable: 0x1003, msixPending: 0x1803 });

/** Memory BARs by number, with the pieces of each that the guest has. */
function piecesOf(rig: Rig): Map<number, number> {
  const frames = rig.hypervisor.mappedFrames();
  const memory = image.resources.filter(({ kind }) => kind === 'memory');
  return new Map(
    memory.map(({ index, start, sizeBytes }) => {
      const [first, end] = [start >> 12n, (start + sizeBytes) >> 12n];
      return [index, frames.filter(([, mfn]) => mfn >= first && mfn < end).length];
    }),
  );
}

function placed(rig: Rig): Rig {
  rig.attach();
  placeAll(rig.guest());
  return rig;
}

it('XSA-389: of a BAR that Xen has mapped in part nothing is left in the guest', () => {
  const whole = placed(makeRig({ images: [image] }));
  const pieces = piecesOf(whole);
  expect([...pieces.values()]).toContain(2);
  const maps = whole.hypervisor.calls.flatMap(({ name }, index) => (name === 'mapMemory' ? [index] : []));
  expect(maps).toHaveLength(4);
  for (const failing of maps) {
    for (const errno of ['E2BIG', 'ENOMEM', 'EINVAL']) {
      const rig = makeRig({ images: [image] });
      rig.hypervisor.failAt(failing, errno);
      placed(rig);
      const different = [...piecesOf(rig)].filter(([index, count]) => count !== pieces.get(index));
      expect(
        different.map(([, count]) => count),
        errno,
      ).toEqual([0]);
      rig.model.detach(cardName);
      rig.hypervisor.assertBaseline();
    }
  }
});
