import type { Register } from '../config-space/register.js';
import type { GuestBar } from './bar.js';
import { addressMask } from './sizing.js';

// PCI Local Bus 3.0 §6.2.5 (figures 6-5 to 6-7):
//
//   memory   31 … 4 address │ 3 prefetchable │ 2:1 type (00 = 32 bits, 10 = 64 bits) │ 0 = 0
//   I/O      31 … 2 address │ 1 reserved     │ 0 = 1
//   ROM      31 … 11 address │ 10 … 1 reserved │ 0 enable

const typeMask = { memory: 0xf, io: 0x3, rom: 0x7ff } as const;
const romEnable = 1;

/**
 * The one or two registers of a BAR as its guest has them: virtual as a whole, address bits writable and
 * reported, size and type bits constant. They start without an address: a firmware that writes only the lower
 * half of a small 64-bit BAR must find the upper half 0, and host addresses are the host's secret.
 */
export function barRegisters(bar: GuestBar): Register[] {
  const mask = addressMask(bar.sizeBytes, typeMask[bar.kind]);
  const writableLow = bar.kind === 'rom' ? (mask.low | romEnable) >>> 0 : mask.low;
  const low = addressRegister(bar.registerOffset, writableLow, typeBits(bar));
  if (bar.upperRegisterOffset === undefined) return [low];
  return [low, addressRegister(bar.upperRegisterOffset, mask.high, 0)];
}

function typeBits(bar: GuestBar): number {
  if (bar.kind === 'io') return 1;
  if (bar.kind === 'rom') return 0;
  return (bar.prefetchable ? 8 : 0) | (bar.is64Bit ? 4 : 0);
}

function addressRegister(offset: number, writable: number, reset: number): Register {
  return {
    offset,
    width: 4,
    reset,
    ro: ~writable >>> 0,
    guest: {
      virtual: 0xffff_ffff,
      shadowWrite: writable,
      notify: writable,
      why: 'The guest places the BAR in its own address space; the device keeps the host’s address.',
    },
  };
}
