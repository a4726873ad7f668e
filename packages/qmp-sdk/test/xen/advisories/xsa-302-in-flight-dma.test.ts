import { expect, test } from 'vitest';
import { attach, detach } from '../../../src/xen/index.js';
import { fakeNetworkCard } from '../../../src/xen/testing/index.js';
import { CARD, hostWith, readyHost } from '../hosts.js';

const quarantined = ['device 300 owner 7ff1', 'device 300 quarantined'];

test('XSA-302: DMA that a guest left running is stopped, and the device reset, while it is the guest’s', async () => {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  const first = host.journal.calls.length;
  await detach(host, { domain: '5', device: CARD });
  const calls = host.journal.calls.slice(first);
  const at = (pattern: RegExp) => calls.findIndex((call) => pattern.test(call));
  const order = [
    at(/^disableBusMaster /),
    at(/^reset /),
    at(/^xc_deassign_device 5 /),
    at(/^xc_assign_device 32753 /),
  ];
  expect(Math.min(...order)).toBeGreaterThanOrEqual(0);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(host.toolstack.dump()).toEqual(quarantined);
});

test('XSA-306: so it is for a device that was never in quarantine, bound to pciback by hand', async () => {
  const host = hostWith({ functions: [{ ...fakeNetworkCard, driver: 'pciback' }] });
  expect(host.toolstack.dump()).toEqual(['device 300 owner 0']);
  await attach(host, { domain: '5', spec: CARD });
  await detach(host, { domain: '5', device: CARD });
  expect(host.toolstack.dump()).toEqual(quarantined);
});
