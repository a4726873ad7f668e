import { expect, test } from 'vitest';
import { connectModel } from '../../../src/xen/model-connection.js';
import { fakeDomain } from '../../../src/xen/testing/index.js';
import { readyHost } from '../hosts.js';
import { startServing } from './quiet-model.js';

test('X3: an event of xenstore is one look at the domain and is not kept, however many come', async () => {
  const host = await readyHost();
  const log: string[] = [];
  const { calls, end } = await startServing(host, log);
  const first = host.journal.calls.length;
  for (let event = 0; event < 100_000; event += 1) host.store.fire('@releaseDomain');
  const looks = host.journal.calls.splice(first);
  expect([looks.length, new Set(looks).size]).toEqual([100_000, 1]);
  const lines = log.length;
  await new Promise((resolve) => setImmediate(resolve));
  expect([host.journal.calls.length - first, log.length - lines, calls]).toEqual([0, 0, []]);
  // And it is still heard.
  host.toolstack.domains.set(5, fakeDomain(5, { flags: { dying: true } }));
  host.store.fire('@releaseDomain');
  expect(await end).toBe('domain-gone');
  expect(await connectModel(`${host.runDir}/domain-5/control.sock`)).toBeNull();
});
