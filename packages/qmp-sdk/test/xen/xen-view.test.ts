import { expect, test } from 'vitest';
import { addAssignable, listInventory } from '../../src/xen/index.js';
import { fakeNetworkCard } from '../../src/xen/testing/index.js';
import { hostWith } from './hosts.js';

const functions = [fakeNetworkCard, { sbdf: '0000:04:00.0', driver: 'igb' }, { sbdf: '0000:05:00.0', driver: 'igb' }];
const groupsOf = (host: ReturnType<typeof hostWith>) => listInventory(host).functions.map(({ groups }) => groups.xen);

test('a function in quarantine is in its group all the same', async () => {
  const host = hostWith({ functions });
  for (const sbdf of [0x0300, 0x0400]) host.hypervisor.groups.set(sbdf, 1);
  const together = ['0000:03:00.0', '0000:04:00.0'];
  expect(groupsOf(host)).toEqual([together, together, ['0000:05:00.0']]);
  await addAssignable(host, '03:00.0', { overrides: ['accept-siblings'] });
  expect(groupsOf(host)).toEqual([together, together, ['0000:05:00.0']]);
  const [card] = listInventory(host).functions;
  expect(card?.findings.map(({ rule }) => rule)).toEqual(['group-incomplete']);
  expect(card?.verdict).toBe('not-assignable');
});

test('without an IOMMU nothing can be given away, and no group is asked for', () => {
  const host = hostWith({ functions });
  host.toolstack.iommuEnabled = false;
  host.hypervisor.xenCommandLine = 'iommu=off';
  const inventory = listInventory(host);
  expect(inventory.findings[0]).toMatchObject({ rule: 'iommu-off', severity: 'error', subject: 'host' });
  expect(inventory.functions.map(({ verdict, groups }) => [verdict, groups.xen])).toEqual(
    functions.map(() => ['not-assignable', null]),
  );
});

test('what Xen does not answer is a note, once', () => {
  const host = hostWith({ functions });
  host.hypervisor.deviceGroup = () => {
    throw Object.assign(new Error('xc_get_device_group failed with EPERM'), { errnoName: 'EPERM' });
  };
  const { notes, functions: listed } = listInventory(host);
  expect(notes).toEqual([expect.stringMatching(/A group cannot be read from Xen: .*EPERM/)]);
  expect(listed).toHaveLength(3);
});
