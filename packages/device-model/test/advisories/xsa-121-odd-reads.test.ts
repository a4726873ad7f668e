import { expect, it } from 'vitest';
import { request } from '../support/guest.js';
import { fullAt, runningRig } from '../support/full-card.js';
import { slot } from '../support/rig.js';

it('XSA-121: a read of a size that no bus has answers ones in every byte', () => {
  const rig = runningRig();
  rig.device.poke(fullAt.vendor + 4, 1, 2, 3, 4);
  for (const size of [0, 3, 5, 6, 7, 8]) {
    rig.guest().readConfig(fullAt.vendor + 4);
    const address = (BigInt(slot) << 32n) | BigInt(fullAt.vendor + 4);
    rig.handler.handle(request({ type: 2, address, size, read: true }));
    expect([rig.handler.dataLow, rig.handler.dataHigh]).toEqual([0xffff_ffff, 0xffff_ffff]);
  }
});
