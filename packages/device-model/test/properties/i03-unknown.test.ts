import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { request } from '../support/guest.js';
import { home, slot } from '../support/rig.js';

const known = { config: 2, copy: 1 } as const;
const sizes = [...Array(18).keys(), 32, 4096, 0x8000_0000, 0xffff_ffff];
const addresses = [BigInt(home.bar3), BigInt(slot) << 32n, 0n, (1n << 64n) - 1n];

it('I3: a type or a size that nobody knows reads all ones, writes nothing, and is answered', () => {
  const rig = runningRig();
  const { handler } = rig;
  rig.guest().writeMemory(home.bar3, 0x1234_5678_9abc_def0n, 8);
  const writes = rig.device.writes.length;
  for (let type = 0; type < 256; type += 1) {
    for (const size of sizes) {
      const isAccess = [1, 2, 4, 8].includes(size);
      if ((type === known.copy || type === known.config) && isAccess) continue;
      for (const address of addresses) {
        for (const read of [true, false]) {
          handler.handle(request({ type, size, address, read, data: 0n }));
          const ones = size < 4 && isAccess ? 2 ** (8 * size) - 1 : 0xffff_ffff;
          if (handler.dataLow !== ones) expect.unreachable(`type ${type}, size ${size}: ${handler.dataLow}`);
        }
      }
    }
  }
  expect([rig.faults, rig.device.writes.length]).toEqual([[], writes]);
  expect(rig.guest().readMemory(home.bar3, 8)).toBe(0x1234_5678_9abc_def0n);
});
