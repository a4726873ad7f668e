import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostTree, treeFlags } from '@xenpt/pci/sysfs/testing';
import { afterEach, expect, test } from 'vitest';
import { createBundle, type Inventory, listInventory, openXenHost } from '../../src/xen/index.js';
import { readyHost } from './hosts.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function stored(archive: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-test-'));
  folders.push(folder);
  writeFileSync(join(folder, 'bundle.tar.gz'), archive);
  return join(folder, 'bundle.tar.gz');
}

function inventoryOf(sysroot: string): Inventory {
  const host = openXenHost({ sysroot });
  try {
    return listInventory(host);
  } finally {
    host.close();
  }
}

test('a bundle tells what the host told, without names and serial numbers', () => {
  using tree = new HostTree()
    .add({
      address: '0000:00:1c.0',
      classCode: 0x060400,
      driver: 'pcieport',
      expressType: 4,
      buses: { primary: 0, secondary: 3, subordinate: 3 },
    })
    .add({
      address: '0000:03:00.0',
      parent: '0000:00:1c.0',
      driver: 'pciback',
      expressType: 0,
      serialNumber: 0x1234n,
      iommuGroup: 3,
      resetMethods: 'pm',
      resources: [[0xfe00_0000n, 0xfe01_ffffn, treeFlags.memory]],
    })
    .file('etc/xen/secret-project.cfg', 'name="secret-project"\ntype="hvm"\nmemory=512\npci=["0000:03:00.0"]\n')
    .file('proc/cmdline', 'root=UUID=12 xen-pciback.hide=(03:00.0)\n');
  const before = inventoryOf(tree.sysroot);
  const host = openXenHost({ sysroot: tree.sysroot });
  const { archive, functionCount } = createBundle(host);
  host.close();
  expect(functionCount).toBe(2);
  const after = inventoryOf(stored(archive));
  const told = ({ functions, findings }: Inventory) => ({
    functions: functions.map(({ address, identity, driver, groups, verdict }) => [
      address,
      { ...identity, serialNumber: null },
      driver,
      groups,
      verdict,
    ]),
    findings: findings.map(({ rule, subject }) => [rule, subject.replace(/^(secret-project|guest-1)$/, 'guest')]),
  });
  expect(told(after)).toEqual(told(before));
  expect(JSON.stringify(after, (_key, value: unknown) => String(value))).not.toContain('secret-project');
});

test('what Xen said comes along: owner, group, reserved memory', async () => {
  const host = await readyHost({});
  host.hypervisor.reserved.set(0x0300, [{ startFrame: 0xe0n, frameCount: 16n }]);
  const [before] = listInventory(host).functions;
  expect(before?.reservedRegions).toEqual([{ start: 0xe0000n, end: 0xeffffn, source: 'xen' }]);
  const [after] = inventoryOf(stored(createBundle(host).archive)).functions;
  expect([after?.owner, after?.groups.xen, after?.reservedRegions]).toEqual([
    before?.owner,
    before?.groups.xen,
    before?.reservedRegions,
  ]);
});

test('a file that is no bundle is refused by name', () => {
  expect(() => openXenHost({ sysroot: stored(Buffer.from('no')) })).toThrow(/no archive of `xenpt bundle`/);
});
