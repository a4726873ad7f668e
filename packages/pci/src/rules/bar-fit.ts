import { fitDevices, fitsAnyGuest } from '../placement/guest-bars.js';
import type { FunctionRule } from './rule.js';

/** A guest whose memory leaves the hole no room to grow by itself. */
const referenceMemoryMib = 4096;

export const barFit: FunctionRule = {
  scope: 'function',
  id: 'bar-fit',
  title: 'Its registers do not fit below 4 GiB of a guest',
  cause: 'A guest has 192 MiB for the BARs of all its devices below 4 GiB, unless its configuration asks for more.',
  consequence:
    'BARs of 64 bits move above 4 GiB, where older guests do not look; others get no place, and do not work.',
  remedy: 'Set mmio_hole= in the guest’s configuration; `xenpt fit` prints the value for a guest and its devices.',
  check: ({ resources, address, classCode }) => {
    if (classCode >>> 16 === 0x06 || fitsAnyGuest(resources)) return [];
    const { placement, neededHoleMib } = fitDevices([{ resources }], {
      memoryMib: referenceMemoryMib,
      mmioHoleMib: null,
    });
    const lost = placement.bars.filter(({ address: place }) => place === null);
    const high = placement.bars.filter(({ address: place }) => place !== null && place >= 1n << 32n);
    if (lost.length === 0 && high.length === 0) return [];
    const named = [...lost, ...high].map(({ index, sizeBytes }) => `BAR ${index} (${sizeBytes >> 20n} MiB)`);
    return [
      {
        effect: 'warns',
        message: `${named.join(', ')} ${lost.length > 0 ? 'has no place' : 'goes above 4 GiB'} in a guest of 4 GiB`,
        evidence: [`hole from 0x${placement.holeStart.toString(16)} to 0x${placement.holeEnd.toString(16)}`],
        fix:
          neededHoleMib === null || neededHoleMib <= 256
            ? `xenpt fit ${address} --memory 4096`
            : `mmio_hole=${neededHoleMib}`,
      },
    ];
  },
};
