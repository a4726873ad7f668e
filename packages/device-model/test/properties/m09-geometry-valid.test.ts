import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { enableMsix } from '../support/messages.js';
import { at, ioBar, memoryBar, networkCard } from '../support/network-card.js';
import { cardName } from '../support/rig.js';

const withPorts = [memoryBar(0, 0xe000_0000n, 0x1000n), ioBar(2, 0xd000n, 0x100n)];

it.each([
  ['BAR 6', { msixTable: 0x0006 }],
  ['BAR 7', { msixPending: 0x2007 }],
  ['an I/O BAR', { msixTable: 0x0002, msixPending: 0x0080, resources: withPorts }],
  ['an empty BAR', { msixTable: 0x0004 }],
  ['a table that ends behind its BAR', { msixTable: 0x3fc3 }],
  ['pending bits behind their BAR', { msixPending: 0x4003 }],
  ['an offset near 4 GiB', { msixTable: 0xffff_fff3 }],
  ['more entries than fit', { msixVectorCount: 2048 }],
])('M9: %s hides MSI-X, and the function works without', (_, options) => {
  const rig = runningRig(networkCard({ ...options, command: 3 }));
  expect(rig.guest().readConfig(at.msix)).toBe(0);
  enableMsix(rig);
  expect(rig.device.msixEnabled).toBe(false);
  rig.guest().writeConfig(at.msi + 2, 1, 2);
  expect(rig.device.msiEnabled).toBe(true);
  rig.model.detach(cardName);
  rig.hypervisor.assertBaseline();
});
