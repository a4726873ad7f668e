import { readFileSync, rmSync, writeFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { readFunctionRecords } from '../../src/sysfs/index.js';
import { HostTree, treeFlags } from '../../src/sysfs/testing/index.js';

/** A root port with a card of two functions behind it, one of them with everything; a card on a segment of VMD. */
function tree(): HostTree {
  return new HostTree()
    .add({
      address: '0000:00:1c.0',
      classCode: 0x060400,
      driver: 'pcieport',
      expressType: 4,
      buses: { primary: 0, secondary: 2, subordinate: 3 },
      accessControl: 0x1d,
    })
    .add({
      address: '0000:02:00.0',
      parent: '0000:00:1c.0',
      driver: 'e1000e',
      expressType: 0,
      multifunction: true,
      functionLevelReset: true,
      serialNumber: 0x0011_22ff_ff33_4455n,
      msix: { vectorCount: 5, table: { bar: 3, offset: 0 }, pending: { bar: 3, offset: 0x2000 } },
      link: { speed: 1, width: 1, maxSpeed: 3, maxWidth: 4 },
      noSoftReset: false,
      resources: [[0xfe00_0000n, 0xfe01_ffffn, treeFlags.memory]],
      resetMethods: 'flr pm',
      iommuGroup: 7,
      files: { sriov_totalvfs: '2\n', power_state: 'D0\n', label: 'Onboard LAN\n', boot_vga: null },
    })
    .add({ address: '0000:02:00.1', parent: '0000:00:1c.0', expressType: 0, multifunction: true, iommuGroup: 7 })
    .add({ address: '10000:e1:00.0', classCode: 0x010802 })
    .file('sys/bus/pci/slots/5/address', '0000:02:00\n')
    .file('sys/kernel/iommu_groups/7/reserved_regions', '0xe0000 0xeffff direct\n0xfee00000 0xfeefffff msi\nx\n')
    .file('usr/share/misc/pci.ids', '8086  Intel Corporation\n\t10d3  82574L\n\t\t8086 a01f  Gigabit CT\n');
}

it('reads everything of a function', () => {
  using host = tree();
  const { functions, notes } = readFunctionRecords(host);
  expect(notes).toEqual([]);
  expect(functions.map(({ address }) => address)).toEqual([
    '0000:00:1c.0',
    '0000:02:00.0',
    '0000:02:00.1',
    '10000:e1:00.0',
  ]);
  expect(functions[1]).toMatchObject({
    parent: '0000:00:1c.0',
    driver: 'e1000e',
    vendorName: 'Intel Corporation',
    deviceName: '82574L',
    subsystemName: 'Gigabit CT',
    identity: { path: '0000:00/1c.0/00.0', serialNumber: '001122ffff334455', slotLabel: '5' },
    interrupts: { msix: { vectorCount: 5, tableBarIndex: 3, pbaOffset: 0x2000, sharesPage: false } },
    link: { speed: 2.5, width: 1, maxSpeed: 8, maxWidth: 4 },
    powerState: 'D0',
    virtualFunctions: { kind: 'physical', total: 2, enabled: [] },
    reset: { methods: ['flr', 'pm'], grade: 'safe', busNeighbours: ['0000:02:00.1'] },
    reservedRegions: [{ start: 0xe0000n, end: 0xeffffn, source: 'kernel' }],
    groups: { kernel: ['0000:02:00.0', '0000:02:00.1'], acs: ['0000:02:00.0', '0000:02:00.1'], xen: null },
  });
  expect(functions[3]?.sbdf.segment).toBe(0x10000);
});

it('the link of a function that does not answer is not known, whatever the kernel reads of it', () => {
  using host = new HostTree();
  const files = { current_link_speed: 'Unknown\n', current_link_width: '63\n', max_link_width: '63\n' };
  const silent = { ...files, max_link_speed: '2.5 GT/s PCIe\n', config: new Uint8Array(4096).fill(0xff) };
  host.add({ address: '0000:02:00.0', files: silent });
  expect(readFunctionRecords(host).functions.map(({ link }) => link)).toEqual([null]);
});

it('a copy without links has the same paths, by the bus numbers of the bridges', () => {
  using host = tree();
  using copy = new HostTree();
  for (const { address } of readFunctionRecords(host).functions) {
    const folder = host.folderOf(address);
    for (const name of ['vendor', 'device', 'subsystem_vendor', 'subsystem_device', 'class', 'revision', 'irq']) {
      copy.file(`sys/bus/pci/devices/${address}/${name}`, read(host, `${folder}/${name}`));
    }
    for (const name of ['resource', 'config']) {
      copy.file(`sys/bus/pci/devices/${address}/${name}`, read(host, `${folder}/${name}`));
    }
  }
  const paths = (where: HostTree) => readFunctionRecords(where).functions.map(({ identity }) => identity.path);
  expect(paths(copy)).toEqual(paths(host));
});

it('a tree without uevent, or with one that makes no sense, tells the same by the other files', () => {
  using host = tree();
  const before = readFunctionRecords(host).functions;
  for (const text of [null, '', 'PCI_CLASS=x\n']) {
    const file = `${host.sysroot}/${host.folderOf('0000:02:00.0')}/uevent`;
    if (text === null) rmSync(file);
    else writeFileSync(file, text);
    expect(readFunctionRecords(host).functions).toEqual(before);
  }
});

it('a function that answers all ones is told by what the kernel remembers', () => {
  const config = new Uint8Array(4096).fill(0xff);
  using host = new HostTree().add({
    address: '0000:00:03.0',
    driver: 'e1000e',
    files: { config, revision: '0x07\n' },
  });
  expect(readFunctionRecords(host).functions[0]).toMatchObject({ vendorId: 0x8086, driver: 'e1000e', revision: 7 });
});

it('without root: what can be read, and a note', () => {
  using host = new HostTree().add({ address: '0000:00:03.0', sizeBytes: 64, resetMethods: 'flr' });
  const { functions, notes } = readFunctionRecords(host);
  expect(notes).toEqual([expect.stringMatching(/^Only root can read capabilities/)]);
  expect(functions[0]).toMatchObject({ groups: { acs: null }, link: null, reset: { grade: 'safe' } });
});

it('says of a function whose folder lacks its files that it is left out', () => {
  using host = new HostTree().add({ address: '0000:00:03.0', files: { uevent: null, vendor: null } });
  const { functions, notes } = readFunctionRecords(host);
  expect([functions, notes]).toEqual([
    [],
    [expect.stringMatching(/^0000:00:03\.0 is left out: .*vendor is not there/)],
  ]);
});

it('leaves out, with a note, a function whose files make no sense', () => {
  using host = new HostTree()
    .add({ address: '0000:00:03.0', files: { uevent: null, vendor: 'intel\n' } })
    .add({ address: '0000:00:04.0' })
    .file('sys/firmware/acpi/tables/DMAR', 'DMARx');
  const { functions, notes } = readFunctionRecords(host);
  expect(functions.map(({ address }) => address)).toEqual(['0000:00:04.0']);
  expect(notes).toEqual([
    expect.stringMatching(/^0000:00:03\.0 is left out: .*vendor/),
    expect.stringMatching(/^Reserved memory of DMAR is unknown: .* it has 5 bytes/),
  ]);
});

function read(tree: HostTree, path: string): Uint8Array {
  return readFileSync(`${tree.sysroot}/${path}`);
}
