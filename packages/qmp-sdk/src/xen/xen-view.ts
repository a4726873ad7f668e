import { existsSync, readFileSync } from 'node:fs';
import {
  formatSbdf,
  numberToSbdf,
  type Owner,
  type OwnedFunction,
  type ReservedRegion,
  sbdfToNumber,
  type XenFacts,
} from '@xenpt/pci';
import { describeError, XenErrorCode, XenOperationError } from './errors.js';
import type { HypervisorFacts, Store, Sysfs } from './host.js';
import { readOwners } from './owners.js';

const LAST_SEGMENT = 0xffff;
const PAGE_BYTES = 4096n;
/** Where `xenpt bundle` puts what Xen said, beside the captured tree. */
export const RECORDED_VIEW_PATH = '/xenpt/xen.json';

/** What Xen and xenstore say of the functions of a host, by address. */
export interface XenView {
  /** Null: no Xen, or it does not answer. */
  readonly facts: XenFacts | null;
  readonly owners: ReadonlyMap<string, Owner>;
  /** With the function itself. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly reserved: ReadonlyMap<string, readonly ReservedRegion[]>;
  readonly notes: readonly string[];
}

export interface XenViewHost {
  readonly sysfs: Sysfs;
  /** Throws XENPT_NO_XEN where there is no xenstore. */
  readonly store: Store;
  /** Throws XENPT_NO_XEN. */
  openHypervisorFacts(): HypervisorFacts;
}

type Named = Pick<OwnedFunction, 'address' | 'sbdf' | 'driver'>;

/** Asks Xen; for a captured tree, reads what was recorded with it. */
export function readXenView(host: XenViewHost, functions: readonly Named[]): XenView {
  const recorded = host.sysfs.root === '' ? null : readRecordedView(host.sysfs.root);
  if (recorded !== null) return recorded;
  const { ownerOf, notes } = readOwners(host);
  const owners = new Map(functions.map((fn) => [fn.address, ownerOf(fn)]));
  if (notes.length > 0) return { facts: null, owners, groups: new Map(), reserved: new Map(), notes };
  return { owners, ...askHypervisor(host, functions, owners) };
}

function askHypervisor(
  host: XenViewHost,
  functions: readonly Named[],
  owners: ReadonlyMap<string, Owner>,
): Omit<XenView, 'owners'> {
  const nothing = { facts: null, groups: new Map<string, string[]>(), reserved: new Map<string, ReservedRegion[]>() };
  let xen: HypervisorFacts;
  try {
    xen = host.openHypervisorFacts();
  } catch (error) {
    if (!(error instanceof XenOperationError) || error.code !== XenErrorCode.noXen) throw error;
    return { ...nothing, notes: [`Groups and reserved memory of Xen are unknown: ${error.message}.`] };
  }
  try {
    const nameable = functions.filter(({ sbdf }) => sbdf.segment <= LAST_SEGMENT);
    const domids = new Set([0, ...[...owners.values()].flatMap((one) => (one.kind === 'domain' ? [one.domid] : []))]);
    const notes = new Set<string>();
    const attempt = <T>(what: string, otherwise: T, ask: () => T): T => {
      try {
        return ask();
      } catch (error) {
        notes.add(`${what} cannot be read from Xen: ${describeError(error)}.`);
        return otherwise;
      }
    };
    const facts: XenFacts = {
      version: attempt('The version', null, () => xen.version()),
      commandLine: attempt('The command line', null, () => xen.commandLine()),
      directIo: attempt('Whether there is an IOMMU', null, () => xen.directIo()),
    };
    const answers = facts.directIo === false ? [] : nameable;
    const groups = joinGroups(
      answers.map(({ address, sbdf }) => [
        address,
        [...domids].flatMap((domid) =>
          attempt('A group', [], () => xen.deviceGroup(domid, sbdfToNumber(sbdf))).map((found) =>
            formatSbdf(numberToSbdf(found)),
          ),
        ),
      ]),
    );
    const reserved = new Map(
      answers.map(({ address, sbdf }) => [
        address,
        attempt('Reserved memory', [], () => xen.reservedMemory(sbdfToNumber(sbdf))).map(toRegion),
      ]),
    );
    return { facts, groups, reserved, notes: [...notes] };
  } finally {
    xen.close();
  }
}

function toRegion({ startFrame, frameCount }: { startFrame: bigint; frameCount: bigint }): ReservedRegion {
  const start = startFrame * PAGE_BYTES;
  return { start, end: start + frameCount * PAGE_BYTES - 1n, source: 'xen' };
}

/**
 * Xen lists the members that a domain has, none of those in quarantine. Who is in the group of whom holds both ways, so
 * a function in quarantine is found by its own question.
 */
function joinGroups(answers: readonly (readonly [string, readonly string[]])[]): Map<string, string[]> {
  const members = new Map(answers.map(([address]) => [address, new Set([address])]));
  for (const [address, others] of answers) {
    for (const other of others) {
      members.get(address)?.add(other);
      members.get(other)?.add(address);
    }
  }
  return new Map([...members].map(([address, set]) => [address, [...set].sort()]));
}

interface RecordedView {
  readonly facts: XenFacts | null;
  readonly owners: Readonly<Record<string, Owner>>;
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly reserved: Readonly<Record<string, readonly { readonly start: string; readonly end: string }[]>>;
}

/** The inverse of `readRecordedView`. */
export function recordView({ facts, owners, groups, reserved }: XenView): string {
  const view: RecordedView = {
    facts,
    owners: Object.fromEntries(owners),
    groups: Object.fromEntries(groups),
    reserved: Object.fromEntries(
      [...reserved].map(([address, regions]) => [
        address,
        regions.map(({ start, end }) => ({ start: `0x${start.toString(16)}`, end: `0x${end.toString(16)}` })),
      ]),
    ),
  };
  return `${JSON.stringify(view, null, 1)}\n`;
}

/** Null: nothing was recorded, or it is not what we write. */
function readRecordedView(root: string): XenView | null {
  const path = root + RECORDED_VIEW_PATH;
  if (!existsSync(path)) return null;
  try {
    const view = JSON.parse(readFileSync(path, 'utf8')) as RecordedView;
    return {
      facts: view.facts,
      owners: new Map(Object.entries(view.owners)),
      groups: new Map(Object.entries(view.groups)),
      reserved: new Map(
        Object.entries(view.reserved).map(([address, regions]) => [
          address,
          regions.map(({ start, end }) => ({ start: BigInt(start), end: BigInt(end), source: 'xen' as const })),
        ]),
      ),
      notes: [],
    };
  } catch {
    return null;
  }
}
