import { describe, expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { FakeGuestMemory, request } from '../support/guest.js';
import { enableMsix } from '../support/messages.js';
import { networkCard } from '../support/network-card.js';
import { home } from '../support/rig.js';

describe('M6: an access to the table', () => {
  it.each([
    [1, 0],
    [2, 0],
    [2, 12],
    [4, 2],
    [8, 4],
    [8, 12],
    [3, 0],
    [16, 0],
  ])('of %i bytes at %i does nothing and reads all ones', (size, offset) => {
    const rig = runningRig();
    enableMsix(rig);
    rig.guest().writeMemory(home.bar3 + offset, 0, size);
    expect(rig.hypervisor.count('bindMsi')).toBe(0);
    const ones = size > 8 || size === 3 ? 64 : size * 8;
    expect(rig.guest().readMemory(home.bar3 + offset, size)).toBe(BigInt.asUintN(ones, -1n));
    expect(rig.guest().readMemory(home.bar3 + 12)).toBe(1n);
  });

  it('of 8 bytes over data and control uses the upper half for control', () => {
    const rig = runningRig();
    enableMsix(rig);
    rig.guest().writeMemory(home.bar3, 0xfee0_1000n, 8);
    rig.guest().writeMemory(home.bar3 + 8, 0x4041n, 8);
    expect(rig.hypervisor.boundTo(79)).toMatchObject({ vector: 0x41, flags: 1 });
  });

  it.each([4, 8])('repeated in units of %i bytes, up and down, works entry by entry', (size) => {
    // Downwards in units of 4 an entry is unmasked before it has a message, which then counts from its next unmasking.
    for (const descending of size === 8 ? [false, true] : [false]) {
      const memory = new FakeGuestMemory(0x1000, 16 * 5 + 16);
      const words = new DataView(memory.bytes.buffer);
      for (let entry = 0; entry < 5; entry += 1) {
        words.setUint32(16 * entry, 0xfee0_0000, true);
        words.setUint32(16 * entry + 8, 0x4041 + entry, true);
      }
      const rig = runningRig(networkCard({ command: 3 }), { memory });
      enableMsix(rig);
      // One unit past the end of the table as well.
      const count = (16 * 5) / size + 1;
      const last = (count - 1) * size;
      const data = BigInt(0x1000 + (descending ? last : 0));
      const address = BigInt(home.bar3 + (descending ? last : 0));
      rig.handler.handle(request({ type: 1, address, data, size, count, pointer: true, descending }));
      const bound = rig.hypervisor.pirqsInUse().map((pirq) => rig.hypervisor.boundTo(pirq)?.vector ?? 0);
      expect(bound.filter(Boolean).sort()).toEqual([0x41, 0x42, 0x43, 0x44, 0x45]);
      expect(rig.hypervisor.violations).toEqual([]);
      expect(rig.faults).toEqual([]);
    }
  });
});
