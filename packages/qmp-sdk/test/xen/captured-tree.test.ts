import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { listInventory, openXenHost } from '../../src/xen/index.js';

/** Written by `xenpt bundle` in dom0 of the lab (without pci.ids). */
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}.tar.gz`, import.meta.url));

test.each(['lab-xen-4.17', 'lab-xen-4.20'])('%s: what a real Xen host told, read elsewhere', (name) => {
  const host = openXenHost({ sysroot: fixture(name) });
  try {
    const { functions, host: facts, notes } = listInventory(host);
    expect(notes).toEqual([]);
    expect(facts.xen?.version).toMatch(/^4\./);
    expect([facts.controlDomain, facts.pcibackLoaded, facts.iommu]).toEqual([true, true, true]);
    const disk = functions.find(({ address }) => address === '0000:00:02.0');
    expect(disk?.findings.map(({ rule }) => rule)).toContain('boot-disk');
    const card = functions.find(({ address }) => address === '0000:01:00.0');
    expect(card).toMatchObject({
      driver: 'e1000e',
      parent: '0000:00:10.0',
      identity: { path: '0000:00/10.0/00.0', serialNumber: '0'.repeat(16) },
      interrupts: { msix: { vectorCount: 5, tableBarIndex: 3 }, msi: { vectorCount: 1 } },
      groups: { kernel: null, acs: ['0000:01:00.0'], xen: ['0000:01:00.0'] },
      reset: { methods: ['pm', 'bus'], grade: 'same-guest' },
      verdict: 'with-warning',
    });
    // VT-d tells the functions of one chip apart; ACS does not say that the chip does.
    const chip = functions.filter(({ address }) => address.startsWith('0000:00:1f.'));
    expect(chip.map(({ groups }) => [groups.xen?.length, groups.acs?.length])).toEqual([
      [1, 3],
      [1, 3],
      [1, 3],
    ]);
  } finally {
    host.close();
  }
});

test('a machine in a cloud, without Xen: its disk, its network and the missing IOMMU are known', () => {
  const host = openXenHost({ sysroot: fixture('cloud-machine') });
  try {
    const { functions, host: facts } = listInventory(host);
    expect([facts.xen, facts.iommu, functions.length]).toEqual([null, false, 6]);
    const rules = (address: string) =>
      functions.find((fn) => fn.address === address)?.findings.map(({ rule }) => rule) ?? [];
    expect(rules('0000:00:02.0')).toEqual(expect.arrayContaining(['boot-disk', 'iommu-off']));
    expect(rules('0000:00:03.0')).toContain('management-route');
    expect(functions.every(({ verdict }) => verdict === 'not-assignable')).toBe(true);
  } finally {
    host.close();
  }
});
