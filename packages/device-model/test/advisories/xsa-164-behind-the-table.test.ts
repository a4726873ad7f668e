import { expect, it } from 'vitest';
import { fullCard, runningRig } from '../support/full-card.js';
import { enableMsix } from '../support/messages.js';
import { home } from '../support/rig.js';

it('XSA-164: behind the last entry, inside the page, nothing of the table is read or written', () => {
  const rig = runningRig(fullCard(), { barAccess: true });
  enableMsix(rig);
  for (let offset = 5 * 16; offset < 0x1000; offset += 4) {
    const before = rig.device.bar(3).peek(offset, 4);
    rig.guest().writeMemory(home.bar3 + offset, 0);
    expect(rig.guest().readMemory(home.bar3 + offset)).toBe(before);
    expect(rig.device.bar(3).peek(offset, 4)).toBe(before);
  }
  expect(rig.hypervisor.count('bindMsi')).toBe(0);
  for (let entry = 0; entry < 5; entry += 1) {
    expect(rig.guest().readMemory(home.bar3 + 16 * entry + 12) & 1n).toBe(1n);
  }
});
