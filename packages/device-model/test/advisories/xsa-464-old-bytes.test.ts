import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { request } from '../support/guest.js';
import { home, slot } from '../support/rig.js';

it('XSA-464: what an answer has beyond its width is empty, whatever the answer before held', () => {
  const rig = runningRig();
  const config = BigInt(slot) << 32n;
  // The table answers 64 bits; what nobody answers, all ones.
  const earlier = [
    { type: 1, address: BigInt(home.bar3), size: 8, read: true },
    { type: 1, address: 0x1234_5678n, size: 8, read: true },
  ];
  const reads = [
    { type: 2, address: config | 0x2cn },
    { type: 2, address: config | 0x100n },
    { type: 1, address: BigInt(home.bar3) },
    { type: 1, address: 0x1234_5678n },
  ];
  rig.guest().writeMemory(home.bar3, 0xa5a5_a5a4_5a5a_5a58n, 8);
  for (const before of earlier) {
    for (const read of reads) {
      for (const size of [1, 2, 4]) {
        rig.handler.handle(request(before));
        rig.handler.handle(request({ ...read, size, read: true }));
        const { dataLow, dataHigh } = rig.handler;
        expect([size < 4 ? dataLow >>> (8 * size) : 0, dataHigh]).toEqual([0, 0]);
      }
    }
  }
});
