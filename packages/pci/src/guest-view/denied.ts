import { catalogue } from '../capabilities/index.js';
import { listCapabilities } from '../config-space/capability-list.js';
import { headerBytes, headerType0 } from '../config-space/header-type-0.js';
import { checkHeader } from '../config-space/header.js';
import { guestConfigBytes } from '../config-space/register-table.js';
import type { RegisterSet } from '../config-space/register.js';
import { deviceSpecific, formatAllowedField } from './allow.js';

/** A byte in which a guest tried to change what it may not. */
export interface DeniedByte {
  readonly offset: number;
  /** Bits that were tried. */
  readonly mask: number;
  readonly count: number;
}

/** The register that a guest wrote in vain. */
export interface DeniedRegister {
  /** From the start of configuration space. */
  readonly offset: number;
  readonly width: number;
  /** `Header`, the name of the capability, or `device-specific`. */
  readonly group: string;
  /** Name of the register; `byte 4` of its capability where the specification has no name. */
  readonly name: string;
  /** Bits that were tried, right-aligned. */
  readonly mask: number;
  /** Writes that tried: of the byte that was tried most often. */
  readonly count: number;
  /** What would open it, for `GuestViewOptions.allow`; null where the policy is not the operator's to change. */
  readonly allow: string | null;
}

interface Group {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly registers: RegisterSet;
  readonly isVisible: boolean;
}

/**
 * Names what a guest wrote in vain.
 *
 * @param config the host's image
 * @throws {@link PciError} `PCI_CONFIG_LENGTH`, `PCI_FUNCTION_ABSENT` or `PCI_HEADER_TYPE_UNSUPPORTED`
 */
export function describeDenied(config: Uint8Array, denied: readonly DeniedByte[]): DeniedRegister[] {
  checkHeader(config);
  const { found, concealed } = listCapabilities(config, catalogue);
  const groups: Group[] = [
    { name: 'Header', offset: 0, sizeBytes: headerBytes, registers: headerType0, isVisible: true },
    ...found.map((one) => ({ ...one, isVisible: true })),
    ...concealed.map((one) => ({ ...one, isVisible: false })),
  ];
  const registers = new Map<number, DeniedRegister>();
  for (const byte of denied.filter(({ offset }) => offset < guestConfigBytes)) {
    const known = describeByte(groups, byte);
    const before = registers.get(known.offset);
    registers.set(known.offset, before === undefined ? known : join(before, known));
  }
  return [...registers.values()].sort((a, b) => a.offset - b.offset);
}

function join(one: DeniedRegister, other: DeniedRegister): DeniedRegister {
  return { ...one, mask: (one.mask | other.mask) >>> 0, count: Math.max(one.count, other.count) };
}

function describeByte(groups: readonly Group[], { offset, mask, count }: DeniedByte): DeniedRegister {
  const group = groups.find((one) => one.offset <= offset && offset < one.offset + one.sizeBytes);
  if (group === undefined) {
    const allow = formatAllowedField({ group: deviceSpecific, offset, byte: 0, mask });
    return { offset, width: 1, group: deviceSpecific, name: 'byte 0', mask, count, allow };
  }
  const byte = offset - group.offset;
  for (const [name, register] of Object.entries(group.registers)) {
    const lane = byte - register.offset;
    if (lane < 0 || lane >= register.width) continue;
    const inRegister = (mask << (8 * lane)) >>> 0;
    const { width } = register;
    return { offset: offset - lane, width, group: group.name, name, mask: inRegister, count, allow: null };
  }
  // Id and next pointer are ours.
  const canOpen = group.isVisible && byte >= 2 && group.offset >= headerBytes;
  const allow = canOpen ? formatAllowedField({ group: group.name, offset: group.offset, byte, mask }) : null;
  return { offset, width: 1, group: group.name, name: `byte ${byte}`, mask, count, allow };
}
