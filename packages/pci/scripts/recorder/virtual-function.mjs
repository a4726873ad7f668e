// A virtual function of SR-IOV: QEMU's NVMe controller has some. Their BARs are not in their own header but in the
// physical function's capability (PCI Express Base 5.0 §9.3.3), and their ids read all ones.
import { Function, enableEcam, numberBus, placeBars } from './firmware.mjs';
import { Qtest } from './qtest.mjs';

const rootPortDevfn = 0x10;
const sriovId = 0x10;
const at = {
  control: 0x08,
  totalVfs: 0x0e,
  numVfs: 0x10,
  offset: 0x14,
  vfDeviceId: 0x1a,
  systemPages: 0x20,
  bar0: 0x24,
};
const vfEnable = 1;
const vfMemorySpace = 8;

export async function recordVirtualFunction(qemu, { record, image }) {
  const machine = new Qtest(qemu, [
    ...['-machine', 'q35', '-m', '128M', '-device', 'pcie-root-port,id=rootport,chassis=1,addr=2'],
    ...['-device', 'nvme-subsys,id=subsystem'],
    '-device',
    [
      'nvme,serial=x,subsys=subsystem,bus=rootport,max_ioqpairs=6,msix_qsize=7',
      'sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2',
    ].join(','),
  ]);
  try {
    await enableEcam(machine);
    await numberBus(machine, rootPortDevfn, 1);
    const physical = new Function(machine, { bus: 1, devfn: 0, ecam: true });
    await placeBars(physical);
    const capability = await findExtended(physical, sriovId);
    const range = await placeVirtualBar(physical, capability);
    await physical.write16(capability + at.numVfs, 2);
    await physical.write16(capability + at.control, vfEnable | vfMemorySpace);
    const routing = await physical.read32(capability + at.offset);
    const virtual = new Function(machine, { bus: 1, devfn: routing & 0xff, ecam: true });
    const made = record('nvme virtual function', 'root-port', await image(virtual), [range]);
    const deviceId = (await physical.read32(capability + (at.vfDeviceId & ~3))) >>> 16;
    return { ...made, vendorId: (await physical.read32(0)) & 0xffff, deviceId };
  } finally {
    await machine.close();
  }
}

async function findExtended(target, id) {
  for (let offset = 0x100, hop = 0; offset >= 0x100 && hop < 480; hop += 1) {
    const header = await target.read32(offset);
    if ((header & 0xffff) === id) return offset;
    offset = (header >>> 20) & 0xffc;
  }
  throw new Error(`no extended capability 0x${id.toString(16)}`);
}

/** 64 bits wide in QEMU's controller. */
async function placeVirtualBar(physical, capability) {
  const low = capability + at.bar0;
  await physical.write32(low, 0xffff_ffff);
  await physical.write32(low + 4, 0xffff_ffff);
  const mask = (BigInt(await physical.read32(low + 4)) << 32n) | BigInt(((await physical.read32(low)) & ~15) >>> 0);
  const size = BigInt.asUintN(64, ~mask) + 1n;
  const start = 0x41_0000_0000n;
  await physical.write32(low, Number(start & 0xffff_ffffn));
  await physical.write32(low + 4, Number(start >> 32n));
  return {
    index: 0,
    kind: 'memory',
    start: `0x${start.toString(16)}`,
    sizeBytes: `0x${size.toString(16)}`,
    prefetchable: false,
    is64Bit: true,
  };
}
