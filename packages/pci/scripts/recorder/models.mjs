// Which device models there are, and what some of them need besides their name.
import { execFileSync } from 'node:child_process';

/** Backends: another process or the host's own hardware. */
const unobtainable = /^(vfio-|x-pci-proxy|vhost-)/;

const memory = ['-object', 'memory-backend-ram,id=memory,size=16M,share=on'];
const drive = ['-blockdev', 'driver=null-co,node-name=disk,size=16777216'];
const can = ['-object', 'can-bus,id=can0'];

/** Options of the device, and what stands before it on the command line. */
const needs = {
  'acpi-erst': { options: 'memdev=memory', before: memory },
  'ivshmem-plain': { options: 'memdev=memory', before: memory },
  'ivshmem-doorbell': null,
  'virtio-mem-pci': { options: 'memdev=memory', before: memory, machine: ['-m', '128M,slots=2,maxmem=1G'] },
  'virtio-pmem-pci': { options: 'memdev=memory', before: memory, machine: ['-m', '128M,slots=2,maxmem=1G'] },
  nvme: { options: 'serial=x,drive=disk', before: drive },
  'virtio-crypto-pci': { options: 'cryptodev=crypto', before: ['-object', 'cryptodev-backend-builtin,id=crypto'] },
  'pci-ipmi-bt': { options: 'bmc=bmc', before: ['-device', 'ipmi-bmc-sim,id=bmc'] },
  'pci-ipmi-kcs': { options: 'bmc=bmc', before: ['-device', 'ipmi-bmc-sim,id=bmc'] },
  rocker: { options: 'name=switch' },
  'pci-bridge': { options: 'chassis_nr=1' },
  ctucan_pci: { options: 'canbus0=can0', before: can },
  kvaser_pci: { options: 'canbus=can0', before: can },
  pcm3680_pci: { options: 'canbus0=can0', before: can },
  mioe3680_pci: { options: 'canbus0=can0', before: can },
};
for (const name of ['virtio-blk-pci', 'virtio-blk-pci-transitional', 'virtio-blk-pci-non-transitional']) {
  needs[name] = { options: 'drive=disk', before: drive };
}
for (const name of ['virtio-9p-pci', 'virtio-9p-pci-transitional', 'virtio-9p-pci-non-transitional']) {
  needs[name] = { options: 'fsdev=files,mount_tag=x', before: ['-fsdev', 'synth,id=files'] };
}

/** Those that cannot be had without a second process are left out. */
export function modelsOf(qemu) {
  const help = execFileSync(qemu, ['-machine', 'q35', '-device', 'help'], { encoding: 'utf8' });
  const all = [...help.matchAll(/^name "([^"]+)", bus PCI/gm)].map(([, name]) => name);
  return all
    .filter((name) => !unobtainable.test(name) && needs[name] !== null)
    .map((name) => ({ name, options: '', before: [], machine: [], ...needs[name] }));
}

/** What stands in a machine without being asked for. */
export const builtIn = [
  { name: 'q35 host bridge', machine: 'q35', devfn: 0x00 },
  { name: 'q35 ISA bridge', machine: 'q35', devfn: 0xf8 },
  { name: 'q35 AHCI', machine: 'q35', devfn: 0xfa },
  { name: 'q35 SMBus', machine: 'q35', devfn: 0xfb },
  { name: 'i440fx host bridge', machine: 'pc', devfn: 0x00 },
  { name: 'i440fx ISA bridge', machine: 'pc', devfn: 0x08 },
  { name: 'i440fx IDE', machine: 'pc', devfn: 0x09 },
  { name: 'i440fx power management', machine: 'pc', devfn: 0x0b },
];
