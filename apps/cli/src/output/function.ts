import {
  type Finding,
  isSameList,
  type LinkState,
  type OwnedFunction,
  type Owner,
  type ReservedRegion,
  type Verdict,
} from '@xenpt/pci';
import type { InventoryEntry } from '@xenpt/qmp-sdk/xen';
import { hex } from './json.js';
import type { Style } from './style.js';

/** The fields of a function that every verb prints alike. */
export function functionJson(entry: InventoryEntry) {
  const { address, vendorId, deviceId, classCode, className, vendorName, deviceName, driver, owner } = entry;
  const { identity, reset, groups, interrupts, virtualFunctions, verdict, findings } = entry;
  return {
    sbdf: address,
    vendorId: hex(vendorId, 4),
    deviceId: hex(deviceId, 4),
    classCode: hex(classCode, 6),
    className,
    vendorName: vendorName ?? null,
    deviceName: deviceName ?? null,
    driver,
    owner,
    wantedBy: entry.wantedBy,
    parent: entry.parent,
    identity: { path: identity.path, serialNumber: identity.serialNumber, slotLabel: identity.slotLabel },
    reset,
    groups,
    interrupts,
    interruptBudget: entry.interruptBudget,
    link: entry.link,
    powerState: entry.powerState,
    numaNode: entry.numaNode,
    virtualFunctions,
    reservedRegions: entry.reservedRegions,
    verdict,
    findings: findings.map(findingJson),
  };
}

export function findingJson(finding: Finding) {
  const { rule, scope, subject, severity, effect, message, evidence, fix } = finding;
  return { rule, scope, subject, severity, effect, message, evidence, fix };
}

type Named = Pick<OwnedFunction, 'className' | 'vendorId' | 'deviceId' | 'vendorName' | 'deviceName'>;

/** `Ethernet controller: Intel Corporation 82574L [8086:10d3]`, as lspci -nn has it. */
export function describeFunction({ className, vendorId, deviceId, vendorName, deviceName }: Named): string {
  const ids = `[${plainHex(vendorId)}:${plainHex(deviceId)}]`;
  const names = [vendorName, deviceName].filter((name) => name !== undefined);
  return `${className}: ${[...names, ids].join(' ')}`;
}

export function describeOwner(owner: Owner): string {
  switch (owner.kind) {
    case 'domain':
      return `domain ${owner.domid} ${owner.domainName}${owner.guestSbdf === null ? '' : ` at ${owner.guestSbdf}`}`;
    case 'assignable':
      return 'assignable';
    case 'host':
      return owner.driver === null ? 'host, no driver' : 'host';
    case 'unknown':
      return 'assignable or a guest';
  }
}

const verdictTexts: Readonly<Record<Verdict, string>> = {
  assignable: 'yes',
  'with-warning': 'yes, but',
  'not-assignable': 'no',
};

/** `yes`, `yes, but: no-reset`, `no: boot-disk, group-incomplete`: the rules can be explained. */
export function describeVerdict({ verdict, findings }: Pick<InventoryEntry, 'verdict' | 'findings'>): string {
  const effect = verdict === 'not-assignable' ? 'blocks' : 'warns';
  const reasons = [...new Set(findings.filter((finding) => finding.effect === effect).map(({ rule }) => rule))];
  return reasons.length === 0 ? verdictTexts[verdict] : `${verdictTexts[verdict]}: ${reasons.join(', ')}`;
}

export function paintVerdict(style: Style, verdict: Verdict): (text: string) => string {
  if (verdict === 'assignable') return style.good;
  return verdict === 'with-warning' ? style.warning : style.faint;
}

/** The official group, by its number or its size; `*` where config space disagrees. */
export function describeGroup({ groups, iommuGroup }: Pick<OwnedFunction, 'groups' | 'iommuGroup'>): string {
  const { kernel, xen, acs } = groups;
  const official = xen ?? kernel;
  const disagrees = official !== null && acs !== null && !isSameList(official, acs) ? '*' : '';
  if (iommuGroup !== null) return `${iommuGroup}${disagrees}`;
  const members = official ?? acs;
  if (members === null) return '-';
  return `${members.length === 1 ? 'alone' : `${members.length} together`}${disagrees}`;
}

export function describeLink(link: LinkState | null): string {
  if (link === null) return '-';
  const now = link.width === 0 ? 'no link' : `x${link.width} at ${link.speed} GT/s`;
  return `${now}, at most x${link.maxWidth} at ${link.maxSpeed} GT/s`;
}

export function describeRegion({ start, end, source }: ReservedRegion): string {
  return `0x${start.toString(16)}-0x${end.toString(16)} (${source})`;
}

/** `128 KiB`, exact: BARs are powers of two. */
export function describeSize(sizeBytes: bigint): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
  let size = sizeBytes;
  let unit = 0;
  while (size >= 1024n && size % 1024n === 0n && unit < units.length - 1) {
    size /= 1024n;
    unit += 1;
  }
  return `${size} ${units[unit] ?? ''}`;
}

function plainHex(id: number): string {
  return id.toString(16).padStart(4, '0');
}
