import { expect, test } from 'vitest';
import { connectModel } from '../../../src/xen/model-connection.js';
import { CARD, readyHost } from '../hosts.js';
import { startServing } from './quiet-model.js';

const lost = () => {
  throw new Error('xenstored is gone');
};

test('X5: without xenstored the model serves on, and hears of the end of its domain all the same', async () => {
  const host = await readyHost();
  const log: string[] = [];
  const { calls, end } = await startServing(host, log);
  Object.assign(host.store, { read: lost, write: lost, remove: lost, list: lost, transaction: lost, watch: lost });
  const client = await connectModel(`${host.runDir}/domain-5/control.sock`);
  expect(await client?.attach({ sbdf: CARD, guestDevfn: 40 })).toMatchObject({ vectors: 1 });
  await client?.detach(CARD);
  expect(await client?.status()).toMatchObject({ deniedWrites: 0 });
  expect(calls).toEqual([`attach ${CARD}`, `detach ${CARD}`]);
  client?.close();
  // Nobody tells; it looks by itself every 5 s.
  host.toolstack.destroyDomain(5);
  expect(await end).toBe('domain-gone');
  expect(calls.slice(2)).toEqual(['domainDied', 'close']);
}, 30_000);
