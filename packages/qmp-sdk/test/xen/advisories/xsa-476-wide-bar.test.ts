import { expect, test } from 'vitest';
import { attach, detach } from '../../../src/xen/index.js';
import { fakeNetworkCard } from '../../../src/xen/testing/index.js';
import { CARD, readyHost } from '../hosts.js';

test('XSA-476: of a BAR above 4 GiB the permission is taken back where it was given, not below', async () => {
  const low = [0xfe84_0000n, 0xfe84_0fffn, 0x0004_0200n] as const;
  // Without its upper half, the start of this one is that of the other.
  const high = [0x60_fe84_0000n, 0x60_fe84_0fffn, 0x0014_0204n] as const;
  const host = await readyHost({ functions: [{ ...fakeNetworkCard, resources: [low, high] }] });
  const before = host.toolstack.dump();
  await attach(host, { domain: '5', spec: CARD });
  const first = host.journal.calls.length;
  await detach(host, { domain: '5', device: CARD });
  const revoked = host.journal.calls.slice(first).filter((call) => call.startsWith('xc_domain_iomem_permission'));
  expect(revoked).toEqual([
    'xc_domain_iomem_permission 5 iomem fe840+1 false',
    'xc_domain_iomem_permission 5 iomem 60fe840+1 false',
  ]);
  expect(host.toolstack.dump()).toEqual(before);
});
