import { HostTree, treeFlags } from '../../src/sysfs/testing/index.js';
import { acpiTable, rmrr } from '../acpi/tables.js';
import type { XenSays } from './inventory-of.js';

export interface RuleCase {
  readonly rule: string;
  /** A tree, and what Xen says of it, in which the rule finds something… */
  readonly bad: (tree: HostTree) => XenSays | void;
  /** …and one, as like it as can be, in which it does not. */
  readonly good: (tree: HostTree) => XenSays | void;
  readonly message: RegExp;
}

export const card = '0000:03:00.0';
export const port = '0000:00:1c.0';

const addPort = (tree: HostTree, accessControl = 0x1d, expressType = 4) =>
  tree.add({
    address: port,
    classCode: 0x060400,
    driver: 'pcieport',
    expressType,
    buses: { primary: 0, secondary: 3, subordinate: 3 },
    accessControl,
  });
type Card = Partial<Parameters<HostTree['add']>[0]>;
const addCard = (tree: HostTree, changes: Card = {}) =>
  tree.add({ address: card, driver: 'e1000e', expressType: 0, resetMethods: 'flr', ...changes });
const guest = (tree: HostTree, lines: string, name = 'web') =>
  tree.file(`etc/xen/${name}.cfg`, `name="${name}"\ntype="hvm"\nmemory=1024\n${lines}\n`);
const config = (changes: Card) => (tree: HostTree) => void addCard(tree, changes);
const disk = (tree: HostTree, device: string) => {
  addCard(tree, { classCode: 0x010802, driver: 'nvme' });
  tree.folder(`${tree.folderOf(card)}/nvme/nvme0/${device}`);
  tree.link(`sys/class/block/${device}`, `${tree.folderOf(card)}/nvme/nvme0/${device}`);
};
const network = (tree: HostTree, name: string) => {
  addCard(tree);
  tree
    .folder(`${tree.folderOf(card)}/net/${name}`)
    .link(`sys/class/net/${name}`, `${tree.folderOf(card)}/net/${name}`);
};
const routeHead = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
const dom0 = { host: { controlDomain: true } };
const nic2 = '0000:03:00.1';

export const cases: readonly RuleCase[] = [
  {
    rule: 'boot-disk',
    bad: (tree) => {
      disk(tree, 'nvme0n1p2');
      tree.folder('sys/devices/virtual/block/dm-0/slaves/nvme0n1p2');
      tree.link('sys/class/block/dm-0', 'sys/devices/virtual/block/dm-0');
      tree.link('sys/dev/block/253:0', 'sys/devices/virtual/block/dm-0');
      tree.file('proc/self/mountinfo', '24 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw\n');
    },
    good: (tree) => {
      disk(tree, 'nvme0n1p2');
      tree.file('proc/self/mountinfo', '24 1 0:5 / /dev rw - devtmpfs udev rw\n');
    },
    message: /the host uses it for \//,
  },
  {
    rule: 'management-route',
    bad: (tree) => {
      network(tree, 'enp3s0');
      tree.folder('sys/devices/virtual/net/xenbr0/brif/enp3s0');
      tree.link('sys/class/net/xenbr0', 'sys/devices/virtual/net/xenbr0');
      tree.file('proc/net/route', `${routeHead}xenbr0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`);
    },
    good: (tree) => {
      network(tree, 'enp3s0');
      tree.file('proc/net/route', `${routeHead}enp3s0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`);
    },
    message: /enp3s0 carries the default route by xenbr0/,
  },
  {
    rule: 'only-display',
    bad: config({ classCode: 0x030000, driver: 'i915' }),
    good: (tree) => {
      addCard(tree, { classCode: 0x030000, driver: 'amdgpu' });
      tree.add({ address: '0000:00:02.0', classCode: 0x030000, driver: 'i915' });
    },
    message: /last display/,
  },
  { rule: 'bridge', bad: (tree) => void addPort(tree), good: config({}), message: /bridge/ },
  {
    rule: 'bus-shared',
    bad: (tree) => {
      addCard(addPort(tree, 0x1d, 7), { parent: port, driver: 'pciback' });
      tree.add({ address: nic2, parent: port, driver: 'snd_hda_intel' });
    },
    good: (tree) => {
      addCard(addPort(tree), { parent: port });
      tree.add({ address: nic2, parent: port, driver: 'snd_hda_intel', expressType: 0 });
    },
    message: /shares the bus behind 0000:00:1c\.0 with .*snd_hda_intel/,
  },
  {
    rule: 'group-incomplete',
    bad: (tree) => {
      addCard(tree, { iommuGroup: 4, driver: 'pciback' }).add({ address: nic2, iommuGroup: 4, driver: 'igb' });
    },
    good: (tree) => {
      addCard(tree, { iommuGroup: 4, driver: 'pciback' }).add({ address: nic2, iommuGroup: 4, driver: 'pciback' });
    },
    message: /its group also has 0000:03:00\.1 \(igb\)/,
  },
  {
    rule: 'group-disagreement',
    bad: (tree) => {
      addCard(addPort(tree, 0), { parent: port }).add({ address: nic2, parent: port, driver: 'igb', expressType: 0 });
      return { groups: { [card]: [card], [nic2]: [nic2] } };
    },
    good: (tree) => {
      addCard(addPort(tree), { parent: port }).add({ address: nic2, parent: port, driver: 'igb', expressType: 0 });
      return { groups: { [card]: [card], [nic2]: [nic2] } };
    },
    message: /past the IOMMU/,
  },
  {
    rule: 'reserved-memory',
    bad: (tree) => {
      addCard(tree);
      const table = acpiTable('DMAR', rmrr(0xe_0000n, 0xe_ffffn, { startBus: 3, steps: [[0, 0]] }));
      tree.file('sys/firmware/acpi/tables/DMAR', table);
    },
    good: (tree) => {
      addCard(tree);
      const table = acpiTable('DMAR', rmrr(0xe_0000n, 0xe_ffffn, { startBus: 9, steps: [[0, 0]] }));
      tree.file('sys/firmware/acpi/tables/DMAR', table);
    },
    message: /firmware keeps a memory region/,
  },
  { rule: 'no-reset', bad: config({ resetMethods: 'pm' }), good: config({}), message: /same guest/ },
  {
    rule: 'msix-page-shared',
    bad: config({
      msix: { vectorCount: 4, table: { bar: 2, offset: 0x46800 }, pending: { bar: 2, offset: 0x46000 } },
    }),
    good: config({
      msix: { vectorCount: 4, table: { bar: 2, offset: 0x4000 }, pending: { bar: 2, offset: 0x6000 } },
    }),
    message: /BAR 2 at 0x46800/,
  },
  {
    rule: 'pirq-budget',
    bad: config({ msix: { vectorCount: 65, table: { bar: 0, offset: 0 }, pending: { bar: 0, offset: 0x2000 } } }),
    good: (tree) => {
      addCard(tree, { msix: { vectorCount: 65, table: { bar: 0, offset: 0 }, pending: { bar: 0, offset: 0x2000 } } });
      return { host: { xen: { version: '4.20', commandLine: 'extra_guest_irqs=128', directIo: true } } };
    },
    message: /65 vectors; a guest gets 32/,
  },
  {
    rule: 'bar-fit',
    bad: config({ resources: [[0x40_0000_0000n, 0x40_0fff_ffffn, treeFlags.memory64]] }),
    good: config({ resources: [[0xe000_0000n, 0xe3ff_ffffn, treeFlags.memory64]] }),
    message: /BAR 0 \(256 MiB\) goes above 4 GiB/,
  },
  {
    rule: 'driverless',
    bad: (tree) => void tree.add({ address: card, files: { driver_override: 'pciback\n' } }),
    good: (tree) => void tree.add({ address: card, files: { driver_override: '(null)\n' } }),
    message: /meant for pciback and bound to nothing/,
  },
  {
    rule: 'identity-changed',
    bad: (tree) => {
      addCard(tree, { deviceId: 0x1539 });
      return { host: { expectedDevices: [expected(0x10d3)] } };
    },
    good: (tree) => {
      addCard(tree);
      return { host: { expectedDevices: [expected(0x10d3)] } };
    },
    message: /another card/,
  },
  {
    rule: 'assignment-absent',
    bad: (tree) => {
      addCard(addPort(tree), { parent: port });
      return { host: { expectedDevices: [expected(0x10d3)] } };
    },
    good: (tree) => {
      addCard(tree);
      return { host: { expectedDevices: [expected(0x10d3)] } };
    },
    message: /0000:03\/00\.0, which was 0000:03:00\.0, is empty; such a card is at 0000:03:00\.0/,
  },
  {
    rule: 'wide-segment',
    bad: (tree) => void tree.add({ address: '10000:e1:00.0', resetMethods: 'flr' }),
    good: config({}),
    message: /segment 10000 is above ffff/,
  },
  {
    rule: 'not-answering',
    bad: config({ files: { config: new Uint8Array(4096).fill(0xff) } }),
    good: config({}),
    message: /all ones/,
  },
  {
    rule: 'link-degraded',
    bad: config({ link: { speed: 3, width: 4, maxSpeed: 3, maxWidth: 16 } }),
    good: config({ link: { speed: 1, width: 16, maxSpeed: 3, maxWidth: 16 } }),
    message: /x4 of x16/,
  },
  {
    rule: 'power-state',
    bad: config({ driver: 'pciback', files: { power_state: 'D3hot\n' } }),
    good: config({ driver: 'pciback', files: { power_state: 'D0\n' } }),
    message: /D3hot/,
  },
  {
    rule: 'physical-function',
    bad: (tree) => {
      addCard(tree, { files: { sriov_totalvfs: '8\n' } }).add({ address: '0000:03:10.0' });
      tree.link(`${tree.folderOf(card)}/virtfn0`, tree.folderOf('0000:03:10.0'));
    },
    good: config({ files: { sriov_totalvfs: '8\n' } }),
    message: /1 of 8 virtual functions .* 0000:03:10\.0/,
  },
  {
    rule: 'option-rom',
    bad: config({
      classCode: 0x010700,
      resources: [...Array<null>(6).fill(null), [0xe000_0000n, 0xe007_ffffn, treeFlags.rom]],
    }),
    good: config({ classCode: 0x010700 }),
    message: /512 KiB/,
  },
  {
    rule: 'shared-interrupt',
    bad: (tree) => void addCard(tree, { irq: 17 }).add({ address: nic2, irq: 17, driver: 'ehci_hcd' }),
    good: (tree) =>
      void addCard(tree, { irq: 17, msiVectors: 1 }).add({ address: nic2, irq: 18, driver: 'ehci_hcd' }),
    message: /line 17 with 0000:03:00\.1 \(ehci_hcd\)/,
  },
  {
    rule: 'conventional-view',
    bad: (tree) => {
      addCard(tree, { serialNumber: 1n });
      const image = new Uint8Array(4096);
      image.set([0x86, 0x80, 0xd3, 0x10]);
      image.set([0x15, 0, 1, 0], 0x100);
      tree.file(`${tree.folderOf(card)}/config`, image);
    },
    good: config({ serialNumber: 1n }),
    message: /Resizable BAR/,
  },
  {
    rule: 'double-assignment',
    bad: (tree) => {
      addCard(tree, { driver: 'pciback' });
      guest(guest(tree, `pci=["${card}"]`), `pci=["${card}"]`, 'mail');
    },
    good: (tree) => void guest(addCard(tree, { driver: 'pciback' }), `pci=["${card}"]`),
    message: /mail and web want it/,
  },
  {
    rule: 'iommu-off',
    bad: (tree) => {
      addCard(tree);
      return { host: { iommu: false, xen: { version: null, commandLine: 'iommu=off', directIo: false } } };
    },
    good: (tree) => {
      addCard(tree, { iommuGroup: 1 });
    },
    message: /switched off by iommu=off/,
  },
  {
    rule: 'no-interrupt-remapping',
    bad: (tree) => {
      const table = acpiTable('DMAR', new Uint8Array());
      table[37] = 0;
      tree.file('sys/firmware/acpi/tables/DMAR', table);
    },
    good: (tree) => void tree.file('sys/firmware/acpi/tables/DMAR', acpiTable('DMAR', new Uint8Array())),
    message: /not checked/,
  },
  {
    rule: 'pciback-missing',
    bad: () => dom0,
    good: (tree) => {
      tree.folder('sys/bus/pci/drivers/pciback');
      return dom0;
    },
    message: /not loaded/,
  },
  {
    rule: 'lockdown',
    bad: (tree) => void tree.file('sys/kernel/security/lockdown', 'none [integrity] confidentiality\n'),
    good: (tree) => void tree.file('sys/kernel/security/lockdown', '[none] integrity confidentiality\n'),
    message: /lockdown is integrity/,
  },
  {
    rule: 'hide-malformed',
    bad: (tree) => void tree.file('proc/cmdline', 'root=/dev/vda xen-pciback.hide=(0000:03:00.0)(0000:04.00.0)\n'),
    good: (tree) => void tree.file('proc/cmdline', 'root=/dev/vda xen-pciback.hide=(0000:03:00.0)(0000:04:00.0)\n'),
    message: /column 23/,
  },
  {
    rule: 'hide-lost',
    bad: (tree) => void addCard(tree).file('etc/modprobe.d/pt.conf', 'options xen-pciback hide=(0000:03:00.0)\n'),
    good: (tree) =>
      void addCard(tree, { driver: 'pciback' }).file('etc/modprobe.d/pt.conf', 'options xen-pciback hide=(03:*.*)\n'),
    message: /names 0000:03:00\.0 \(e1000e\), not held/,
  },
  {
    rule: 'guest-config-fault',
    bad: (tree) => void guest(tree, 'pci=["0000:03:20.0"]'),
    good: (tree) => void guest(tree, 'pci=["0000:03:1f.0"]'),
    message: /line 4, column/,
  },
  {
    rule: 'guest-device-absent',
    bad: (tree) => void guest(tree, `pci=["${card}"]`),
    good: (tree) => void guest(addCard(tree), `pci=["03:00.*"]`),
    message: /names nothing/,
  },
  {
    rule: 'guest-device-not-held',
    bad: (tree) => void guest(addCard(tree), `pci=["${card}"]`),
    good: (tree) => void guest(addCard(tree), `pci=["${card},seize=1"]`),
    message: /web wants 0000:03:00\.0 \(e1000e\)/,
  },
  {
    rule: 'guest-bar-fit',
    bad: (tree) => {
      addCard(tree, { resources: [[0x1_0000_0000n, 0x1_0fff_ffffn, treeFlags.memory]] });
      tree.file('etc/xen/big.cfg', `type="hvm"\nmemory=8192\npci=["${card}"]\n`);
    },
    good: (tree) => {
      addCard(tree, { resources: [[0x1_0000_0000n, 0x1_0fff_ffffn, treeFlags.memory]] });
      tree.file('etc/xen/big.cfg', `type="hvm"\nmemory=8192\nmmio_hole=1024\npci=["${card}"]\n`);
    },
    message: /1 BARs have no place/,
  },
  {
    rule: 'guest-pirq-budget',
    bad: (tree) => {
      addCard(tree, { msiVectors: 32 }).add({ address: nic2, msiVectors: 32 });
      guest(tree, `pci=["${card}","${nic2}"]`);
    },
    good: (tree) => {
      addCard(tree, { msiVectors: 16 }).add({ address: nic2, msiVectors: 16 });
      guest(tree, `pci=["${card}","${nic2}"]`);
    },
    message: /2 devices have 64 vectors/,
  },
  {
    rule: 'guest-memory-not-fixed',
    bad: (tree) => void guest(addCard(tree), `maxmem=2048\npci=["${card}"]`),
    good: (tree) => void guest(addCard(tree), `maxmem=1024\npci=["${card}"]`),
    message: /maxmem=2048 is more than memory=1024/,
  },
  {
    rule: 'guest-not-migratable',
    bad: (tree) => void guest(addCard(tree), `pci=["${card}"]`),
    good: (tree) => void guest(addCard(tree), ''),
    message: /cannot be migrated/,
  },
];

function expected(deviceId: number) {
  const ids = { vendorId: 0x8086, deviceId, subsystemVendorId: 0x8086, subsystemDeviceId: 0xa01f };
  const identity = { path: '0000:03/00.0', ...ids, classCode: 0x020000, serialNumber: null, slotLabel: null };
  return { address: card, identity, source: '/etc/xenpt/assignments' };
}
