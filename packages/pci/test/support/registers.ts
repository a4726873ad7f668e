import type { Register, RegisterSet } from '../../src/index.js';

/** Every rule a set of registers breaks, in words; empty when it is sound. */
export function faultsOf(registers: RegisterSet, sizeBytes: number): string[] {
  const owners = new Map<number, string>();
  const faults: string[] = [];
  for (const [name, register] of Object.entries(registers)) {
    faults.push(...registerFaults(register).map((fault) => `${name}: ${fault}`));
    if (register.offset + register.width > sizeBytes) faults.push(`${name}: ends outside its ${sizeBytes} bytes`);
    for (let byte = register.offset; byte < register.offset + register.width; byte += 1) {
      if (owners.has(byte)) faults.push(`${name}: overlaps ${owners.get(byte)}`);
      owners.set(byte, name);
    }
  }
  return faults;
}

function registerFaults(register: Register): string[] {
  const { ro = 0, rw1c = 0, rsvdp = 0, rsvdz = 0, guest } = register;
  const { virtual = 0, latch = 0, shadowWrite = 0, hardwareWrite = 0, hardwareZero = 0, notify = 0 } = guest;
  const unwritable = ro | rw1c | rsvdp | rsvdz;
  const rules: readonly (readonly [boolean, string])[] = [
    [register.offset % register.width === 0, 'is not aligned'],
    [disjoint(ro, rw1c, rsvdp, rsvdz), 'has overlapping ro, rw1c, rsvdp, rsvdz'],
    [
      [register.reset, ro, rw1c, rsvdp, rsvdz, virtual, hardwareWrite, hardwareZero].every((mask) =>
        fits(mask, register),
      ),
      'has bits outside its width',
    ],
    [subset(shadowWrite, virtual), 'writes shadow bits that are not virtual'],
    [subset(latch, virtual), 'latches bits that are not virtual'],
    [disjoint(latch, shadowWrite), 'lets a guest change latched bits'],
    [disjoint(virtual, hardwareWrite, hardwareZero), 'has bits both virtual and written to the device'],
    [subset(notify, shadowWrite), 'reports bits that never change'],
    [disjoint(shadowWrite | hardwareWrite, unwritable), 'lets a guest write bits the specification does not'],
    [guest.why.length >= 15 && guest.why.endsWith('.'), 'does not say why in a sentence'],
  ];
  return [...rules.filter(([holds]) => !holds).map(([, fault]) => fault), ...fieldFaults(register)];
}

function fieldFaults(register: Register): string[] {
  let seen = 0n;
  const faults: string[] = [];
  for (const [name, [firstBit, bitCount]] of Object.entries(register.fields ?? {})) {
    const bits = ((1n << BigInt(bitCount)) - 1n) << BigInt(firstBit);
    if (bitCount < 1 || firstBit < 0 || firstBit + bitCount > 8 * register.width)
      faults.push(`field ${name} is outside`);
    if ((seen & bits) !== 0n) faults.push(`field ${name} overlaps another`);
    seen |= bits;
  }
  return faults;
}

function fits(mask: number, { width }: Register): boolean {
  return Number.isInteger(mask) && mask >= 0 && mask < 2 ** (8 * width);
}

function subset(part: number, whole: number): boolean {
  return (part & ~whole) === 0;
}

function disjoint(...masks: readonly number[]): boolean {
  let seen = 0;
  for (const mask of masks) {
    if ((seen & mask) !== 0) return false;
    seen |= mask;
  }
  return true;
}
