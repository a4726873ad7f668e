import { mkdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { formatSbdf, parseSbdf } from '../../src/index.js';
import { listFunctions, listResources, readFunctionImage, readFunctionSummary } from '../../src/sysfs/index.js';
import { e1000eConfig, e1000eResources } from '../support/e1000e.js';
import { SysfsTree } from '../support/sysfs-tree.js';

const address = '0000:03:00.0';
const sbdf = parseSbdf(address);
const coded = (code: string): Error => expect.objectContaining({ code }) as Error;

describe('listFunctions', () => {
  it('tells what the kernel knows', () => {
    using tree = new SysfsTree();
    tree.add(address).link(address, 'driver', '../../../bus/pci/drivers/e1000e');
    tree.link(address, 'iommu_group', '../../../kernel/iommu_groups/14');
    expect(listFunctions(tree)).toEqual([
      {
        sbdf,
        vendorId: 0x8086,
        deviceId: 0x10d3,
        subsystemVendorId: 0x8086,
        subsystemDeviceId: 0xa01f,
        classCode: 0x02_0000,
        className: 'Ethernet controller',
        revision: 0,
        driver: 'e1000e',
        irq: 11,
        numaNode: -1,
        iommuGroup: 14,
        resources: e1000eResources,
        resetMethods: ['flr', 'bus'],
        hasReset: true,
        isVirtualFunction: false,
      },
    ]);
  });

  it('does without what is not there', () => {
    using tree = new SysfsTree();
    tree
      .add(address, { numa_node: null, reset: null, reset_method: null })
      .link(address, 'physfn', '../0000:02:00.0');
    mkdirSync(tree.path('0000:02:00.0'));
    const [summary] = listFunctions(tree);
    expect(summary).toMatchObject({ driver: null, iommuGroup: null, numaNode: -1, isVirtualFunction: true });
    expect(summary).toMatchObject({ hasReset: false, resetMethods: [] });
  });

  it('sorts, and leaves out what was removed or has no address of 32 bits', () => {
    using tree = new SysfsTree();
    for (const name of ['0001:00:00.0', '0000:0a:00.0', '0000:03:00.1', address]) tree.add(name);
    tree.add('10000:e0:06.0');
    rmSync(tree.path('0000:0a:00.0', 'vendor'));
    const names = listFunctions(tree).map((summary) => formatSbdf(summary.sbdf));
    expect(names).toEqual([address, '0000:03:00.1', '0001:00:00.0']);
  });

  it('names vendor and device where pci.ids is installed', () => {
    using tree = new SysfsTree();
    tree.add(address).file('usr/share/hwdata/pci.ids', '8086  Intel Corporation\n\t10d3  82574L\n');
    expect(listFunctions(tree)[0]).toMatchObject({ vendorName: 'Intel Corporation', deviceName: '82574L' });
    expect(listFunctions({ sysroot: tree.sysroot, names: false })[0]).not.toHaveProperty('vendorName');
  });

  it('says that there is no PCI at all', () => {
    expect(() => listFunctions({ sysroot: '/nowhere' })).toThrow(coded('SYSFS_FUNCTION_NOT_FOUND'));
  });
});

describe('listResources', () => {
  it('tells those of each function that listFunctions lists', () => {
    using tree = new SysfsTree();
    for (const name of ['0000:0a:00.0', address, '10000:e0:06.0']) tree.add(name);
    expect(listResources(tree)).toEqual(listFunctions(tree).map(({ sbdf, resources }) => ({ sbdf, resources })));
    expect(listResources(tree)).toHaveLength(2);
    rmSync(tree.path('0000:0a:00.0', 'resource'));
    expect(listResources(tree)).toEqual([{ sbdf, resources: e1000eResources }]);
  });
});

it.each([
  ['0\n', 0],
  ['255\n', 0],
  ['-1\n', 0],
  ['2147483648\n', 0],
  ['4294967295\n', 0],
  ['256\n', 256],
])('takes irq %j as %i', (irq, expected) => {
  using tree = new SysfsTree();
  expect(readFunctionSummary(sbdf, tree.add(address, { irq })).irq).toBe(expected);
});

it.each<readonly [string, string]>([
  ['irq', ''],
  ['irq', 'eleven\n'],
  ['irq', '11'],
  ['vendor', '8086\n'],
  ['vendor', '0x18086\n'],
  ['device', ''],
  ['class', '0x1020000\n'],
  ['numa_node', 'none\n'],
  ['resource', 'nothing\n'],
])('refuses %s holding %j', (name, content) => {
  using tree = new SysfsTree();
  tree.add(address, { [name]: content });
  expect(() => readFunctionSummary(sbdf, tree)).toThrow(
    expect.objectContaining({ code: 'SYSFS_MALFORMED', path: tree.path(address, name) }) as Error,
  );
});

describe('readFunctionImage', () => {
  it('is what a view is made of', () => {
    using tree = new SysfsTree();
    expect(readFunctionImage(sbdf, tree.add(address))).toEqual({
      sbdf,
      config: e1000eConfig(),
      resources: e1000eResources,
      irq: 11,
      vendorId: 0x8086,
      deviceId: 0x10d3,
    });
  });

  it.each([0, 63, 128, 4095])('refuses a configuration space of %i bytes', (length) => {
    using tree = new SysfsTree();
    tree.add(address, { config: new Uint8Array(length) });
    expect(() => readFunctionImage(sbdf, tree)).toThrow(coded('SYSFS_MALFORMED'));
  });

  it('says which function is not there', () => {
    using tree = new SysfsTree();
    tree.add(address);
    expect(() => readFunctionImage(parseSbdf('04:00.0'), tree)).toThrow(/0000:04:00\.0.*no such PCI function/);
  });

  it('says what a directory in place of a file is', () => {
    using tree = new SysfsTree();
    tree.add(address, { config: null });
    mkdirSync(tree.path(address, 'config'));
    expect(() => readFunctionImage(sbdf, tree)).toThrow(coded('SYSFS_IO'));
  });
});
