import type { FoundCapability } from '../config-space/capability-list.js';
import { headerBytes } from '../config-space/header-type-0.js';
import { type RegisterTable, guestConfigBytes } from '../config-space/register-table.js';
import { PciError } from '../errors.js';
import { nearest } from '../grammar/nearest.js';
import type { GuestViewOptions } from './guest-view.js';

/** A field of configuration space that the operator opens for a guest's writes. */
export interface AllowedField {
  /** A capability's name in lower case with dashes, or {@link deviceSpecific}. */
  readonly group: string;
  /** Where the capability starts; of what is in no capability, any offset from 0x40 on. */
  readonly offset: number;
  /** Bytes from there. */
  readonly byte: number;
  /** Up to 32 bits, bit 0 the lowest of that byte; never 0. */
  readonly mask: number;
}

/** What stands in no capability: registers that only the device's own manual knows. */
export const deviceSpecific = 'device-specific';

const syntax = /^([a-z][a-z0-9-]*)@0x([0-9a-f]{1,3})\+(0x[0-9a-f]{1,2}|\d{1,3}):0x([0-9a-f]{1,8})$/;

/**
 * Reads `vendor-specific@0x90+4:0xff`: group, where it starts, byte from there, bits.
 *
 * @throws {@link PciError} `PCI_ALLOW_SYNTAX`
 */
export function parseAllowedField(text: string): AllowedField {
  const [, group, offset, byte, mask] = syntax.exec(text) ?? [];
  const field = {
    group: group ?? '',
    offset: Number.parseInt(offset ?? '', 16),
    byte: Number(byte),
    mask: Number.parseInt(mask ?? '', 16),
  };
  if (group === undefined || field.mask === 0 || field.offset >= guestConfigBytes) {
    throw new PciError('PCI_ALLOW_SYNTAX', {
      problem: `${JSON.stringify(text)} names no field.`,
      nextStep: 'Write GROUP@OFFSET+BYTE:MASK with offset and mask in hexadecimal: vendor-specific@0x90+4:0xff.',
    });
  }
  return field;
}

/** The inverse of {@link parseAllowedField}; `group` may be a capability's name as it is. */
export function formatAllowedField({ group, offset, byte, mask }: AllowedField): string {
  return `${groupName(group)}@0x${offset.toString(16)}+${byte}:0x${mask.toString(16)}`;
}

/**
 * Opens what the operator asked for: single fields, or every byte behind the header that nothing describes.
 *
 * @throws {@link PciError} `PCI_ALLOW_SYNTAX` or `PCI_ALLOW_REFUSED`
 */
export function openFields(
  table: RegisterTable,
  visible: readonly FoundCapability[],
  { allow = [], permissive = false }: GuestViewOptions,
): void {
  for (const text of allow) openField(table, visible, text);
  if (!permissive) return;
  for (let offset = headerBytes; offset < guestConfigBytes; offset += 1) {
    if (table.isOpen(offset)) table.open(offset, 0xff);
  }
}

function openField(table: RegisterTable, visible: readonly FoundCapability[], text: string): void {
  const field = parseAllowedField(text);
  const { group, offset, byte, mask } = field;
  const owner = visible.find((one) => one.offset === offset && groupName(one.name) === group);
  if (owner === undefined && group !== deviceSpecific) {
    throw unknownGroup(text, field, visible);
  }
  for (let lane = 0; lane < 4; lane += 1) {
    const bits = (mask >>> (8 * lane)) & 0xff;
    if (bits === 0) continue;
    const reason = closed(table, visible, owner, offset + byte + lane);
    if (reason !== undefined) throw refused(text, reason);
    table.open(offset + byte + lane, bits);
  }
}

function unknownGroup(text: string, { group, offset }: AllowedField, visible: readonly FoundCapability[]): PciError {
  const there = visible.map((one) => ({ name: groupName(one.name), at: one.offset }));
  const placeOf = ({ name, at }: { name: string; at: number }) => `${name}@0x${at.toString(16)}`;
  const [meant = group] = nearest(group, [...there.map(({ name }) => name), deviceSpecific]);
  const near = there.filter(({ name }) => name === meant);
  const hint = near.length > 0 ? `Did you mean ${near.map(placeOf).join(' or ')}?` : undefined;
  const start = `0x${offset.toString(16)}`;
  return new PciError('PCI_ALLOW_REFUSED', {
    problem: `${text} cannot be opened: the guest has no such capability there.`,
    nextStep:
      hint ??
      (meant === deviceSpecific && group !== deviceSpecific
        ? `Did you mean ${deviceSpecific}@${start}?`
        : `It has ${there.map(placeOf).join(', ') || 'no capability'}; what is in none is ${deviceSpecific}.`),
  });
}

/** Why the byte stays as it is. */
function closed(
  table: RegisterTable,
  visible: readonly FoundCapability[],
  owner: FoundCapability | undefined,
  at: number,
): string | undefined {
  const where = `byte 0x${at.toString(16)}`;
  if (at < headerBytes || at >= guestConfigBytes) return `${where} is not between 0x40 and 0xff`;
  const holder = visible.find((one) => one.offset <= at && at < one.offset + one.sizeBytes);
  if (holder !== owner) {
    return holder === undefined ? `${where} is outside the capability` : `${where} belongs to ${holder.name}`;
  }
  if (!table.isOpen(at)) return `${where} is known: it is served or hidden as its description says`;
  return undefined;
}

function groupName(name: string): string {
  return name.toLowerCase().replaceAll(' ', '-');
}

function refused(text: string, reason: string): PciError {
  return new PciError('PCI_ALLOW_REFUSED', {
    problem: `${text} cannot be opened: ${reason}.`,
    nextStep: 'Only bytes that no register describes can be opened; see `xenpt guest-view --denied` for their names.',
  });
}
