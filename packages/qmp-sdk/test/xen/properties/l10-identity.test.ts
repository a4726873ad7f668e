import { expect, test } from 'vitest';
import { attach, detach, guestView, readModelStats, upgradeModel } from '../../../src/xen/index.js';
import { type FakeHost, fakeDomain } from '../../../src/xen/testing/index.js';
import { CARD, failure, readyHost } from '../hosts.js';

/** Domain 5 has had the card, is gone, and another one has its id. */
async function reused(): Promise<FakeHost> {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  host.models.kill(5);
  host.toolstack.destroyDomain(5);
  host.toolstack.domains.set(5, fakeDomain(5, { handle: '11111111-0000-4000-8000-000000000005' }));
  host.store.remove('/libxl/pci/0000-03-00-0/domid');
  host.store.remove('/local/domain/0/backend/pci');
  return host;
}

test.each<[string, string, (host: FakeHost) => Promise<unknown>]>([
  ['detach', 'XENPT_NOT_ATTACHED', (host) => detach(host, { domain: '5', device: CARD })],
  ['guest-view', 'XENPT_NOT_ATTACHED', (host) => guestView(host, { domain: '5', device: CARD })],
  ['stats', 'XENPT_NOT_ATTACHED', (host) => readModelStats(host, '5')],
  ['upgrade-model', 'XENPT_MODEL_NOT_RUNNING', (host) => upgradeModel(host, '5')],
])('L10: %s does not take a domain for the one that had its id before', async (_what, code, operation) => {
  const host = await reused();
  const [before, calls] = [host.toolstack.dump(), host.journal.calls.length];
  expect(await failure(operation(host))).toMatchObject({ code });
  expect(host.toolstack.dump()).toEqual(before);
  const touched = host.journal.calls.slice(calls).filter((call) => /permission|assign|model\.(at|de)tach/.test(call));
  expect(touched).toEqual([]);
});

test('L10: and an attach to the new one begins anew', async () => {
  const host = await reused();
  const attached = await attach(host, { domain: '5', spec: CARD });
  expect(attached.modelStarted).toBe(true);
});
