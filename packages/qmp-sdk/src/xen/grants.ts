import { readFileSync, rmSync } from 'node:fs';
import type { Resource } from '@xenpt/pci';
import { writeAtomically } from './atomic-file.js';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import { type Override, overrides } from './journal.js';
import { domainDir, makeDomainDir, removeDomainDir, runFile } from './run-dir.js';

const SCHEMA_VERSION = 1;
const PAGE_SHIFT = 12n;
const PAGE_MASK = 0xfffn;

export type MemoryGrant = { readonly kind: 'memory'; readonly mfn: bigint; readonly count: bigint };
export type PortGrant = { readonly kind: 'io'; readonly first: number; readonly count: number };
export type Grant = MemoryGrant | PortGrant;

/** What one attached device got. Revocation reads this, never sysfs, which may say something else by then. */
export interface GrantRecord {
  readonly sbdf: string;
  readonly guestDevfn: number;
  /** `attaching` and `detaching` survive a crash of the command: the record then names what may be in effect. */
  readonly state: 'attaching' | 'attached' | 'detaching';
  readonly grants: readonly Grant[];
  /** QEMU has a placeholder in the slot, so the guest can be asked to eject it. */
  readonly announced?: boolean;
  /** What the operator has set aside to give it. */
  readonly overrides?: readonly Override[];
  readonly options?: RecordedOptions;
  /** Missing: ours. */
  readonly model?: 'qemu';
}

/** What the operator decided for the device, so that it can be given in the same way again. */
export interface RecordedOptions {
  readonly permissive?: boolean;
  readonly allow?: readonly string[];
  /** `file`: his own, kept in the folder of the guest. */
  readonly rom?: 'on' | 'off' | 'file';
  readonly rdmPolicy?: 'relaxed';
}

export interface GrantFile {
  readonly domid: number;
  /** UUID of the domain that the grants are of: the same domid with another handle is another domain. */
  readonly handle: string;
  readonly devices: readonly GrantRecord[];
}

/** The permissions that a function's resources need, in 4 KiB pages rounded outwards; exact to 64 bits. */
export function grantsOf(resources: readonly Resource[]): Grant[] {
  return resources
    .filter(({ start, sizeBytes }) => start > 0n && sizeBytes > 0n)
    .map(({ kind, start, sizeBytes }): Grant => {
      if (kind === 'io') return { kind: 'io', first: Number(start), count: Number(sizeBytes) };
      const mfn = start >> PAGE_SHIFT;
      return { kind: 'memory', mfn, count: ((start + sizeBytes + PAGE_MASK) >> PAGE_SHIFT) - mfn };
    });
}

/** The call by which a grant is made or taken back, for a dry run. */
export function permissionCall(domid: number, grant: Grant, allow: boolean): string {
  const word = allow ? 'allow' : 'deny';
  if (grant.kind === 'io') {
    const ports = `first 0x${grant.first.toString(16)} count 0x${grant.count.toString(16)}`;
    return `xc_domain_ioport_permission domain ${domid} ${ports} ${word}`;
  }
  const frames = `mfn 0x${grant.mfn.toString(16)} count 0x${grant.count.toString(16)}`;
  return `xc_domain_iomem_permission domain ${domid} ${frames} ${word}`;
}

/** `memory fe000000-fe01ffff` or `ports c000-c01f`, for messages. */
export function describeGrant(grant: Grant): string {
  const [first, last] =
    grant.kind === 'io'
      ? [grant.first, grant.first + grant.count - 1]
      : [grant.mfn << PAGE_SHIFT, ((grant.mfn + grant.count) << PAGE_SHIFT) - 1n];
  return `${grant.kind === 'io' ? 'ports' : 'memory'} ${first.toString(16)}-${last.toString(16)}`;
}

/**
 * The grants of a guest; undefined if there are none.
 *
 * @throws XenOperationError XENPT_STEP_FAILED if the file is damaged: guessing would leave grants behind.
 */
export function readGrants(runDir: string, domid: number): GrantFile | undefined {
  const path = runFile.grants(runDir, domid);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return parseGrants(JSON.parse(text), domid);
  } catch (error) {
    throw new XenOperationError(XenErrorCode.stepFailed, `${path} cannot be read as a record of grants`, {
      cause: error,
      next: `Destroy domain ${domid} (Xen then takes every grant back), then remove ${domainDir(runDir, domid)}.`,
    });
  }
}

/** Replaces the record of one device, atomically and on disk before it returns; null removes it. */
export function recordGrant(
  runDir: string,
  domain: { readonly domid: number; readonly handle: string },
  sbdf: string,
  record: Omit<GrantRecord, 'sbdf'> | null,
): void {
  const { domid, handle } = domain;
  const known = readGrants(runDir, domid);
  const others = known?.handle === handle ? known.devices.filter((device) => device.sbdf !== sbdf) : [];
  const devices = record === null ? others : [...others, { sbdf, ...record }];
  if (devices.length === 0) {
    rmSync(runFile.grants(runDir, domid), { force: true });
    return;
  }
  makeDomainDir(runDir, domid);
  writeAtomically(runFile.grants(runDir, domid), formatGrants({ domid, handle, devices }));
}

/** Removes what a dead domain of the same id left; the living one's is untouched. Returns whether there was any. */
export function dropForeignGrants(runDir: string, domid: number, handle: string): boolean {
  const known = readGrants(runDir, domid);
  if (!known || known.handle === handle) return false;
  removeDomainDir(runDir, domid);
  return true;
}

/** The entry of one device, on one line. */
export function formatGrantRecord(record: GrantRecord): string {
  return JSON.stringify(encodeRecord(record));
}

function formatGrants(file: GrantFile): string {
  const devices = file.devices.map(encodeRecord);
  return `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...file, devices }, null, 2)}\n`;
}

function encodeRecord({ grants, ...device }: GrantRecord) {
  return { ...device, grants: grants.map(encodeGrant) };
}

function encodeGrant(grant: Grant) {
  if (grant.kind === 'io') return grant;
  return { kind: grant.kind, mfn: `0x${grant.mfn.toString(16)}`, count: `0x${grant.count.toString(16)}` };
}

function parseGrants(value: unknown, domid: number): GrantFile {
  const file = asRecord(value);
  if (file['schemaVersion'] !== SCHEMA_VERSION) throw new TypeError('schemaVersion is not 1');
  if (file['domid'] !== domid) throw new RangeError(`domid is not ${domid}`);
  return { domid, handle: asText(file['handle']), devices: asList(file['devices']).map(parseRecord) };
}

function parseRecord(value: unknown): GrantRecord {
  const record = asRecord(value);
  const state = asText(record['state']);
  if (state !== 'attaching' && state !== 'attached' && state !== 'detaching') throw new RangeError(`state ${state}`);
  return {
    sbdf: asText(record['sbdf']),
    guestDevfn: asInteger(record['guestDevfn'], 0xff),
    state,
    grants: asList(record['grants']).map(parseGrant),
    ...(record['announced'] === true ? { announced: true } : {}),
    ...(record['overrides'] === undefined ? {} : { overrides: asList(record['overrides']).map(asOverride) }),
    ...(record['model'] === 'qemu' ? { model: 'qemu' } : {}),
    ...(record['options'] === undefined ? {} : { options: parseOptions(asRecord(record['options'])) }),
  };
}

function parseOptions({ permissive, allow, rom, rdmPolicy }: Record<string, unknown>): RecordedOptions {
  if (rom !== undefined && rom !== 'on' && rom !== 'off' && rom !== 'file') throw new RangeError('rom is no ROM');
  return {
    ...(permissive === true ? { permissive } : {}),
    ...(allow === undefined ? {} : { allow: asList(allow).map(asText) }),
    ...(rom === undefined ? {} : { rom }),
    ...(rdmPolicy === 'relaxed' ? { rdmPolicy } : {}),
  };
}

function parseGrant(value: unknown): Grant {
  const grant = asRecord(value);
  if (grant['kind'] === 'io') {
    return { kind: 'io', first: asInteger(grant['first'], 0xffff), count: asInteger(grant['count'], 0x10000) };
  }
  if (grant['kind'] !== 'memory') throw new RangeError('kind is neither memory nor io');
  return { kind: 'memory', mfn: asHexadecimal(grant['mfn']), count: asHexadecimal(grant['count']) };
}

function asOverride(value: unknown): Override {
  const found = overrides.find((name) => name === value);
  if (found === undefined) throw new RangeError('not the name of an override');
  return found;
}

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new TypeError('an object is missing');
  return value as Record<string, unknown>;
}

function asList(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError('a list is missing');
  return value;
}

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a text is missing');
  return value;
}

function asInteger(value: unknown, limit: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > limit) {
    throw new RangeError(`not an integer in 0..${limit}`);
  }
  return value;
}

function asHexadecimal(value: unknown): bigint {
  const text = asText(value);
  if (!/^0x[0-9a-f]{1,16}$/.test(text)) throw new RangeError(`"${text}" is not a 64-bit hexadecimal number`);
  return BigInt(text);
}
