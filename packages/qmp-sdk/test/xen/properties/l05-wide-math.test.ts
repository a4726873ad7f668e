import { expect, test } from 'vitest';
import { attach, detach } from '../../../src/xen/index.js';
import { fakeNetworkCard } from '../../../src/xen/testing/index.js';
import { CARD, readyHost } from '../hosts.js';

const memory = 0x14_0204n;
const pages = (value: bigint) => (value & ~0xfffn).toString(16).slice(0, -3) || '0';

test.each([
  1n << 31n,
  1n << 32n,
  (1n << 52n) - 0x1000n,
  1n << 53n,
  (1n << 53n) + 0x1000n,
  1n << 63n,
  (1n << 64n) - 0x1000n,
])('L5: a BAR at 0x%x is granted and taken back exactly', async (start) => {
  const resources = [[start, start + 0xfffn, memory] as const];
  const host = await readyHost({ functions: [{ ...fakeNetworkCard, resources }] });
  const before = host.dump();
  await attach(host, { domain: '5', spec: CARD });
  expect(host.toolstack.dump()).toContain(`domain 5 iomem ${pages(start)}+1`);
  await detach(host, { domain: '5', device: CARD });
  expect(host.dump()).toEqual(before);
});

test('L5: one that ends with the last byte of 64 bits, and is larger than a Number counts', async () => {
  const resources = [[1n << 63n, (1n << 64n) - 1n, memory] as const];
  const host = await readyHost({ functions: [{ ...fakeNetworkCard, resources }] });
  const before = host.dump();
  await attach(host, { domain: '5', spec: CARD });
  expect(host.toolstack.dump()).toContain('domain 5 iomem 8000000000000+8000000000000');
  await detach(host, { domain: '5', device: CARD });
  expect(host.dump()).toEqual(before);
});
