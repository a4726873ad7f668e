import { expect, test } from 'vitest';
import { attach } from '../../../src/xen/index.js';
import { type FakeFunction, fakeNetworkCard } from '../../../src/xen/testing/index.js';
import { CARD, failure, readyHost } from '../hosts.js';

const memory = 0x0004_0200n;
const neighbour = (start: bigint, end: bigint): FakeFunction => {
  return { sbdf: '0000:04:00.0', driver: 'ahci', resources: [[start, end, memory]] };
};
const card = (start: bigint, end: bigint): FakeFunction => {
  return { ...fakeNetworkCard, resources: [[start, end, memory]] };
};

test.each<[string, FakeFunction[]]>([
  ['does not begin with a page', [card(0xfe84_0800n, 0xfe84_0fffn)]],
  [
    'shares its page with another function',
    [card(0xfe84_0000n, 0xfe84_00ffn), neighbour(0xfe84_0800n, 0xfe84_0fffn)],
  ],
  ['ends in the page of another one', [card(0xfe84_0000n, 0xfe84_17ffn), neighbour(0xfe84_1800n, 0xfe84_1fffn)]],
])('L6: a BAR that %s is not given', async (_what, functions) => {
  const host = await readyHost({ functions });
  const before = host.dump();
  const error = await failure(attach(host, { domain: '5', spec: CARD }));
  expect(error).toMatchObject({ code: 'XENPT_RESOURCE_SHARED', outcome: 'untouched' });
  expect(error.next).toMatch(/pci=resource_alignment=12@/);
  expect(host.dump()).toEqual(before);
});

test('L6: one that is smaller than a page and alone in it is given whole', async () => {
  const functions = [card(0xfe84_0000n, 0xfe84_00ffn), neighbour(0xfe84_1000n, 0xfe84_1fffn)];
  const host = await readyHost({ functions });
  await attach(host, { domain: '5', spec: CARD });
  expect(host.toolstack.dump()).toContain('domain 5 iomem fe840+1');
});
