import { extendedRegisters } from '../capabilities/extended/extended-capability.js';
import { extendedCapabilities } from '../capabilities/extended/index.js';
import { allOnes, readLittleEndian } from './access.js';
import { type RegisterSet, decodeFields } from './register.js';

// PCI Express Base 5.0 §7.6.3, header of every extended capability:
//
//   31 … 20 next (dword-aligned) │ 19 … 16 version │ 15 … 0 id

/** Where the extended space begins. */
export const extendedStart = 0x100;

/** 3840 bytes hold no more than 480 capabilities of two words. Xen's bound too. */
export const maxExtendedCapabilities = 480;

export interface DecodedExtendedCapability {
  readonly offset: number;
  readonly id: number;
  readonly version: number;
  readonly name: string;
  /** What it means for passthrough; null when the id is unknown. */
  readonly meaning: string | null;
  readonly registers: Readonly<
    Record<string, { readonly value: number; readonly fields: Readonly<Record<string, number>> }>
  >;
}

export interface ExtendedSpace {
  /** In the device's order. */
  readonly capabilities: readonly DecodedExtendedCapability[];
  /** Why the list ends early; null when it does not. */
  readonly fault: string | null;
}

/**
 * Decodes the list in bytes 0x100 to 0xfff for people; a guest has nothing of it. A function without extended space,
 * or whose space answers nothing but ones, has an empty one.
 */
export function decodeExtendedSpace(config: Uint8Array): ExtendedSpace {
  const capabilities: DecodedExtendedCapability[] = [];
  const visited = new Set<number>();
  const end = (fault: string | null): ExtendedSpace => ({ capabilities, fault });
  let pointer = config.length > extendedStart ? extendedStart : 0;
  while (pointer !== 0) {
    const where = `the extended list points to 0x${pointer.toString(16)}`;
    if (pointer < extendedStart) return end(`${where}, before the extended space`);
    if (visited.has(pointer)) return end(`${where} a second time`);
    if (capabilities.length === maxExtendedCapabilities) {
      return end(`the extended list has more than ${maxExtendedCapabilities} entries`);
    }
    const header = readLittleEndian(config, pointer, 4);
    // §7.6.1: all zero at the start says that there is none; all ones, that nothing answers.
    if (header === 0 && pointer === extendedStart) return end(null);
    if (header === allOnes(4)) return end(visited.size === 0 ? null : `${where}, where the device answers all ones`);
    visited.add(pointer);
    capabilities.push(decodeAt(config, pointer, header));
    pointer = (header >>> 20) & 0xffc;
  }
  return end(null);
}

function decodeAt(config: Uint8Array, offset: number, header: number): DecodedExtendedCapability {
  const id = header & 0xffff;
  const known = extendedCapabilities.find((candidate) => candidate.id === id);
  const registers: RegisterSet = known === undefined ? {} : extendedRegisters(known, config.subarray(offset));
  const decoded = Object.entries(registers).map(([name, register]) => {
    const value = readLittleEndian(config, offset + register.offset, register.width);
    return [name, { value, fields: decodeFields(register, value) }] as const;
  });
  return {
    offset,
    id,
    version: (header >>> 16) & 0xf,
    name: known?.name ?? `Extended capability 0x${id.toString(16).padStart(4, '0')}`,
    meaning: known?.meaning ?? null,
    registers: Object.fromEntries(decoded),
  };
}
