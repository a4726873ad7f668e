import { expect, test } from 'vitest';
import { attach, detach, listGuestDevices } from '../../../src/xen/index.js';
import { type FakeHost } from '../../../src/xen/testing/index.js';
import { CARD, readyHost } from '../hosts.js';

/** A guest owns its frontend directory, `data`, `control/shutdown` and what it makes itself. */
const lies: Readonly<Record<string, string>> = {
  '/local/domain/5/device/pci/0/backend': '/local/domain/0/backend/pci/6/0',
  '/local/domain/5/device/pci/0/backend-id': '6',
  '/local/domain/5/device/pci/0/state': '6',
  '/local/domain/5/device/pci/1/backend': '/etc/shadow',
  '/local/domain/5/data/pci': '0000:00:00.0',
  '/local/domain/5/control/shutdown': 'poweroff',
};

/** But for reading, and for what is done to those nodes themselves. */
const shaping = (calls: readonly string[]) =>
  calls.filter((call) => !/^xs_(read|directory)|\/local\/domain\/5\/device/.test(call));

async function life(after: (host: FakeHost) => void): Promise<{ calls: string[]; dump: string[] }> {
  const host = await readyHost();
  const first = host.journal.calls.length;
  await attach(host, { domain: '5', spec: CARD });
  after(host);
  await listGuestDevices(host, '5');
  await detach(host, { domain: '5', device: CARD });
  return { calls: shaping(host.journal.calls.slice(first)), dump: host.toolstack.dump() };
}

test('X1: what a guest writes into its nodes, or removes, changes no call to Xen, kernel or model', async () => {
  const honest = await life(() => {});
  expect(await life((host) => host.store.seed(lies))).toEqual(honest);
  expect(await life((host) => host.store.remove('/local/domain/5/device'))).toEqual(honest);
});
