import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { evaluate } from '../../src/rules/evaluate.js';
import { HostTree } from '../../src/sysfs/testing/index.js';
import { acpiTable, rmrr } from '../acpi/tables.js';
import { inventoryOf } from '../rules/inventory-of.js';

const card = '0000:03:00.0';

function host(): HostTree {
  const tree = new HostTree()
    .add({
      address: '0000:00:1c.0',
      classCode: 0x060400,
      expressType: 4,
      buses: { primary: 0, secondary: 3, subordinate: 3 },
      files: { uevent: null },
    })
    .add({
      address: card,
      parent: '0000:00:1c.0',
      driver: 'pciback',
      expressType: 0,
      iommuGroup: 3,
      msix: { vectorCount: 5, table: { bar: 3, offset: 0 }, pending: { bar: 3, offset: 0x2000 } },
      serialNumber: 5n,
      resetMethods: 'flr bus',
      files: { power_state: 'D0\n', sriov_totalvfs: '4\n', max_link_speed: '8 GT/s PCIe\n', max_link_width: '4\n' },
    })
    .file('proc/cmdline', 'ro xen-pciback.hide=(0000:03:00.0)\n')
    .file('proc/self/mountinfo', '24 1 8:1 / / rw - ext4 /dev/sda1 rw\n')
    .file('proc/swaps', 'Filename Type\n/dev/sda2 partition 1 0 -2\n')
    .file('proc/net/route', 'Iface\tDestination\neth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n')
    .file('proc/net/ipv6_route', `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 ${'1'.repeat(32)} 1 2 3 4 eth0\n`)
    .file('proc/net/tcp', '  sl\n   0: 0100007F:0016 0100007F:C350 01 00000000:00000000\n')
    .file('sys/kernel/security/lockdown', '[none] integrity confidentiality\n')
    .file('sys/kernel/iommu_groups/3/reserved_regions', '0xe0000 0xeffff direct\n')
    .file('sys/firmware/acpi/tables/DMAR', acpiTable('DMAR', rmrr(1n, 2n, { startBus: 3, steps: [[0, 0]] })))
    .file('sys/bus/pci/slots/2/address', '0000:03:00\n')
    .file('usr/share/misc/pci.ids', '8086  Intel\n\t10d3  82574L\n')
    .file('etc/modprobe.d/a.conf', 'options xen-pciback hide=(03:00.0)\n')
    .file('etc/xen/web.cfg', `name="web"\ntype="hvm"\nmemory=512\npci=["${card}"]\n`);
  return tree;
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) return [];
    return entry.isDirectory() ? filesOf(path) : statSync(path).isFile() ? [path] : [];
  });
}

it('whatever one file of a tree holds, the rest is told', () => {
  using tree = host();
  const files = filesOf(tree.sysroot);
  const originals = new Map(files.map((path) => [path, readFileSync(path)]));
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ maxLength: 60 }).map((text) => Buffer.from(`${text}\n`)),
    fc
      .constantFrom('', '\n', '0x\n', '-1\n', '99999999999999\n', '(((((((\n', '['.repeat(5000))
      .map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(fc.constantFrom(...files), junk, fc.boolean(), (path, content, append) => {
      const original = originals.get(path) ?? Buffer.alloc(0);
      writeFileSync(path, append ? Buffer.concat([original, content]) : content);
      try {
        const inventory = inventoryOf(tree);
        expect(inventory.functions.length).toBeGreaterThanOrEqual(1);
        evaluate(inventory);
      } finally {
        writeFileSync(path, original);
      }
    }),
    { numRuns: 400 },
  );
});
