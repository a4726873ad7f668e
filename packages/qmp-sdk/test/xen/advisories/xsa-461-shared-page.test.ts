import { expect, test } from 'vitest';
import { attach } from '../../../src/xen/index.js';
import { fakeNetworkCard } from '../../../src/xen/testing/index.js';
import { CARD, failure, readyHost } from '../hosts.js';

const memory = 0x0004_0200n;

test('XSA-461: a device whose page holds registers of another one is not given, whoever has that', async () => {
  const card = { ...fakeNetworkCard, resources: [[0xfe84_0000n, 0xfe84_07ffn, memory]] as const };
  for (const driver of ['ahci', 'pciback', null]) {
    const neighbour = { sbdf: '0000:04:00.0', driver, resources: [[0xfe84_0800n, 0xfe84_0fffn, memory]] as const };
    const host = await readyHost({ functions: [card, neighbour] });
    const before = host.dump();
    expect(await failure(attach(host, { domain: '5', spec: CARD }))).toMatchObject({
      code: 'XENPT_RESOURCE_SHARED',
      message: expect.stringContaining('0000:04:00.0') as string,
    });
    expect(host.dump()).toEqual(before);
  }
});
