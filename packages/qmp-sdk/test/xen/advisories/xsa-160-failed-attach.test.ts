import { expect, test } from 'vitest';
import { attach } from '../../../src/xen/index.js';
import { CARD, readyHost } from '../hosts.js';

test('XSA-160: attaches that fail one after another, each at another call, leave nothing that adds up', async () => {
  const host = await readyHost();
  const before = host.dump();
  let failed = 0;
  for (let index = 0; index < 30; index++) {
    host.journal.failAt(index);
    await expect(attach(host, { domain: '5', spec: CARD })).rejects.toThrow('EIO');
    failed += 1;
  }
  host.journal.failAt(undefined);
  expect(failed).toBe(30);
  expect(host.dump()).toEqual(before);
  await attach(host, { domain: '5', spec: CARD });
});
