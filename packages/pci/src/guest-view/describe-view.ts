import { plainCircumstances } from '../capabilities/capability.js';
import { catalogue } from '../capabilities/index.js';
import { type AccessWidth, allOnes, readLittleEndian } from '../config-space/access.js';
import { type CapabilityList, listCapabilities } from '../config-space/capability-list.js';
import { type DescribedField, describeFields } from '../config-space/describe.js';
import { headerBytes, headerType0 } from '../config-space/header-type-0.js';
import { checkHeader } from '../config-space/header.js';
import { type ViewWord, guestConfigBytes } from '../config-space/register-table.js';
import type { Register, RegisterSet } from '../config-space/register.js';
import { deviceSpecific } from './allow.js';

/**
 * Whose a bit is, one letter each. Capitals read the device, small letters read ours.
 *
 * - `W` the guest reads the device, and its writes reach it
 * - `R` the guest reads the device; nobody writes it
 * - `D` the guest reads the device; its writes are denied, though the device would take them
 * - `w` ours: the guest reads what it wrote itself
 * - `r` ours and fixed; nobody writes it
 * - `d` ours and fixed; the guest's writes are denied, though the device would take them
 * - `.` reserved
 */
export type BitOwner = 'W' | 'R' | 'D' | 'w' | 'r' | 'd' | '.';

/** One register as host and guest have it. */
export interface SeenRegister {
  /** From the start of configuration space. */
  readonly offset: number;
  readonly width: AccessWidth;
  /** `Header` or the name of the capability. */
  readonly group: string;
  /** Where the group starts. */
  readonly groupOffset: number;
  readonly name: string;
  readonly host: number;
  readonly guest: number;
  readonly differs: boolean;
  /** One {@link BitOwner} for each bit, the highest first. */
  readonly bits: string;
  /** Why it is so, a sentence. */
  readonly why: string;
  /** The guest's value, decoded. */
  readonly fields: readonly DescribedField[];
}

/** Bytes that no register describes. */
export interface SeenArea {
  readonly offset: number;
  readonly sizeBytes: number;
  /** The capability, or `device-specific` for what is in none. */
  readonly group: string;
  /** It reads 0 and takes no write, for it belongs to a capability that the guest does not get. */
  readonly hidden: boolean;
  /** Bits in which the operator lets the guest's writes through, by byte; empty by default. */
  readonly opened: readonly { readonly offset: number; readonly mask: number }[];
  /** Two digits for each byte. */
  readonly host: string;
  readonly guest: string;
}

export interface SeenFunction {
  /** The host's image, of which the first 256 bytes are looked at. */
  readonly host: Uint8Array;
  /** What the guest reads, 256 bytes; as many as the host's where those are fewer. */
  readonly guest: Uint8Array;
  /** The rules that the guest is served by. */
  readonly words: readonly ViewWord[];
  /** Where capabilities stand that the guest does not get. */
  readonly hidden: readonly { readonly offset: number }[];
}

interface Group {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly registers: RegisterSet;
}

/**
 * What a guest sees beside what the host has, with the owner of every bit.
 *
 * @throws {@link PciError} `PCI_CONFIG_LENGTH`, `PCI_FUNCTION_ABSENT` or `PCI_HEADER_TYPE_UNSUPPORTED`
 */
export function describeGuestView(seen: SeenFunction): {
  readonly registers: readonly SeenRegister[];
  readonly areas: readonly SeenArea[];
} {
  checkHeader(seen.host);
  const list = listAsServed(seen);
  const hidden = new Set(seen.hidden.map(({ offset }) => offset));
  const visible: Group[] = [
    { name: 'Header', offset: 0, sizeBytes: headerBytes, registers: headerType0 },
    ...list.found.filter(({ offset }) => !hidden.has(offset)),
  ];
  const end = Math.min(seen.host.length, guestConfigBytes);
  const registers = visible
    .flatMap((group) => describeGroup(seen, group))
    .filter(({ offset }) => offset < end)
    .sort((a, b) => a.offset - b.offset);
  const known = [...list.found, ...list.hidden].map((one) => ({ ...one, isHidden: hidden.has(one.offset) }));
  return { registers, areas: describeAreas(seen, registers, known, end) };
}

/** Whether the host offers a reset decides which capabilities there are; `hidden` tells which it was. */
function listAsServed({ host, hidden }: SeenFunction): CapabilityList {
  const without = listCapabilities(host, catalogue, plainCircumstances);
  const fits = without.hidden.every((one) => hidden.some(({ offset }) => offset === one.offset));
  return fits ? without : listCapabilities(host, catalogue, { ...plainCircumstances, functionReset: true });
}

function describeGroup(seen: SeenFunction, group: Group): SeenRegister[] {
  return Object.entries(group.registers).map(([name, register]) => {
    const { width } = register;
    const offset = group.offset + register.offset;
    const host = readLittleEndian(seen.host, offset, width);
    const guest = readLittleEndian(seen.guest, offset, width);
    return {
      offset,
      width,
      group: group.name,
      groupOffset: group.offset,
      name,
      host,
      guest,
      differs: host !== guest,
      bits: ownersOf(register, offset, seen.words),
      why: register.guest.why,
      fields: describeFields(register, guest),
    };
  });
}

function ownersOf(register: Register, offset: number, words: readonly ViewWord[]): string {
  const word = words[offset >>> 2];
  const shift = 8 * (offset & 3);
  const part = (mask: number) => (mask >>> shift) & allOnes(register.width);
  const virtual = part(word?.rule.virtual ?? 0);
  const written = part((word?.rule.shadowWrite ?? 0) | (word?.rule.hardwareWrite ?? 0));
  const deniable = part(word?.deniable ?? 0);
  const reserved = (register.rsvdp ?? 0) | (register.rsvdz ?? 0);
  let owners = '';
  for (let bit = 8 * register.width - 1; bit >= 0; bit -= 1) {
    const has = (mask: number) => ((mask >>> bit) & 1) !== 0;
    const letter: BitOwner = has(written) ? 'W' : has(reserved) ? '.' : has(deniable) ? 'D' : 'R';
    owners += has(virtual) ? letter.toLowerCase() : letter;
  }
  return owners;
}

function describeAreas(
  { host, guest, words }: SeenFunction,
  registers: readonly SeenRegister[],
  capabilities: readonly { offset: number; sizeBytes: number; name: string; isHidden: boolean }[],
  end: number,
): SeenArea[] {
  const described = new Set(registers.flatMap(({ offset, width }) => bytesFrom(offset, width)));
  const areas: { offset: number; sizeBytes: number; group: string; hidden: boolean }[] = [];
  for (let offset = headerBytes; offset < end; offset += 1) {
    if (described.has(offset)) continue;
    const owner = capabilities.find((one) => one.offset <= offset && offset < one.offset + one.sizeBytes);
    const area = { group: owner?.name ?? deviceSpecific, hidden: owner?.isHidden ?? false };
    const last = areas.at(-1);
    const follows = last !== undefined && last.offset + last.sizeBytes === offset;
    if (follows && last.group === area.group && last.hidden === area.hidden && owner?.offset !== offset) {
      last.sizeBytes += 1;
    } else {
      areas.push({ offset, sizeBytes: 1, ...area });
    }
  }
  return areas.map(({ offset, sizeBytes, ...area }) => ({
    offset,
    sizeBytes,
    ...area,
    opened: bytesFrom(offset, sizeBytes)
      .map((at) => ({ offset: at, mask: ((words[at >>> 2]?.rule.hardwareWrite ?? 0) >>> (8 * (at & 3))) & 0xff }))
      .filter(({ mask }) => mask !== 0),
    host: digits(host, offset, sizeBytes),
    guest: digits(guest, offset, sizeBytes),
  }));
}

function bytesFrom(offset: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => offset + index);
}

function digits(bytes: Uint8Array, offset: number, count: number): string {
  return Array.from(bytes.subarray(offset, offset + count), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
