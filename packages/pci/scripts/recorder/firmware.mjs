// What a firmware does to a function before an operating system meets it, told to a machine that runs none: finds the
// size of every BAR by all ones (PCI Local Bus 3.0 §6.2.5.1), gives it an address, turns decode on.

const ecamBase = 0xb000_0000;
const mechanism1 = { address: 0xcf8, data: 0xcfc };
const memoryDecode = 2;
const ioDecode = 1;
const busMaster = 4;

const ones = 0xffff_ffff;

/** A function's registers by the port mechanism (256 bytes) or memory-mapped (4096). */
export class Function {
  constructor(machine, { bus, devfn, ecam }) {
    Object.assign(this, { machine, bus, devfn, ecam });
  }

  async read32(offset) {
    if (this.ecam) return this.machine.read('l', this.#address(offset));
    await this.machine.outl(mechanism1.address, (0x8000_0000 + (this.bus << 16) + (this.devfn << 8) + offset) >>> 0);
    return this.machine.inl(mechanism1.data);
  }

  async write32(offset, value) {
    if (this.ecam) return this.machine.write('l', this.#address(offset), value);
    await this.machine.outl(mechanism1.address, (0x8000_0000 + (this.bus << 16) + (this.devfn << 8) + offset) >>> 0);
    return this.machine.outl(mechanism1.data, value);
  }

  /** Neighbours in the word are not written. Needs `ecam` or a register whose neighbours bear it. */
  async write16(offset, value) {
    if (this.ecam) return this.machine.write('w', this.#address(offset), value);
    const word = await this.read32(offset & ~3);
    const shift = (offset & 2) * 8;
    // Status beside Command: what is written there as 0 stays.
    const kept = shift === 0 && offset === 4 ? 0 : word & ~(0xffff << shift);
    return this.write32(offset & ~3, (kept | (value << shift)) >>> 0);
  }

  #address(offset) {
    return ecamBase + this.bus * 0x10_0000 + this.devfn * 0x1000 + offset;
  }
}

/** Turns memory-mapped configuration space on: PCIEXBAR of the q35 host bridge. */
export async function enableEcam(machine) {
  const bridge = new Function(machine, { bus: 0, devfn: 0, ecam: false });
  await bridge.write32(0x64, 0);
  await bridge.write32(0x60, ecamBase + 1);
}

/** Secondary bus of the root port at `devfn`. */
export async function numberBus(machine, devfn, bus) {
  const port = new Function(machine, { bus: 0, devfn, ecam: true });
  await port.write32(0x18, (bus << 16) | (bus << 8));
}

/** Sizes and places every BAR; gives them as `Resource`s, sizes and addresses as texts. */
export async function placeBars(target, start = { memory: 0xc000_0000n, wide: 0x40_0000_0000n, io: 0xc000n }) {
  const next = { ...start };
  const resources = [];
  const isBridge = (((await target.read32(0x0c)) >>> 16) & 0x7f) === 1;
  const take = (pool, size) => {
    const aligned = (next[pool] + size - 1n) & ~(size - 1n);
    next[pool] = aligned + (size > 4096n || pool === 'io' ? size : 4096n);
    return aligned;
  };
  const lastBar = isBridge ? 1 : 5;
  for (let index = 0; index <= lastBar; index += 1) {
    const offset = 0x10 + 4 * index;
    const low = await sizeOf(target, offset);
    if (low === 0) continue;
    const isIo = (low & 1) === 1;
    const is64Bit = !isIo && (low & 6) === 4;
    const high = is64Bit ? await sizeOf(target, offset + 4) : ones;
    const mask = (BigInt(high) << 32n) | BigInt((low & ~(isIo ? 3 : 15)) >>> 0);
    // I/O decoders may leave the upper 16 bits unimplemented.
    const size = isIo ? (~mask & 0xffffn) + 1n : BigInt.asUintN(64, ~mask) + 1n;
    const prefetchable = !isIo && (low & 8) !== 0;
    const address = take(isIo ? 'io' : is64Bit && (prefetchable || size > 0x1000_0000n) ? 'wide' : 'memory', size);
    await target.write32(offset, Number(address & 0xffff_ffffn));
    if (is64Bit) await target.write32(offset + 4, Number(address >> 32n));
    resources.push(resource(index, isIo ? 'io' : 'memory', address, size, prefetchable, is64Bit));
    if (is64Bit) index += 1;
  }
  const romOffset = isBridge ? 0x38 : 0x30;
  const rom = (await sizeOf(target, romOffset, 0xffff_f800)) & 0xffff_f800;
  if (rom !== 0) {
    const size = BigInt((~rom >>> 0) + 1);
    const address = take('memory', size);
    await target.write32(romOffset, Number(address));
    resources.push(resource(6, 'rom', address, size, false, false));
  }
  await turnOn(target, resources);
  return resources;
}

async function turnOn(target, resources) {
  const has = (kind) => resources.some((one) => one.kind === kind);
  const pin = (await target.read32(0x3c)) >>> 8;
  if ((pin & 0xff) !== 0) await target.write32(0x3c, ((await target.read32(0x3c)) & 0xffff_ff00) | 11);
  await target.write16(0x04, busMaster | (has('memory') ? memoryDecode : 0) | (has('io') ? ioDecode : 0));
}

async function sizeOf(target, offset, probe = ones) {
  const before = await target.read32(offset);
  await target.write32(offset, probe);
  const answer = await target.read32(offset);
  await target.write32(offset, before);
  return answer;
}

function resource(index, kind, start, size, prefetchable, is64Bit) {
  return {
    index,
    kind,
    start: `0x${start.toString(16)}`,
    sizeBytes: `0x${size.toString(16)}`,
    prefetchable,
    is64Bit,
  };
}
