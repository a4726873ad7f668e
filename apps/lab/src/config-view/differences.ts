import type { Observation } from './observe.js';

/** Where the two models' answers differ, in one kind of access to one register. */
export interface Difference {
  readonly register: string;
  readonly offset: number;
  readonly access: string;
  readonly qemu: string;
  readonly ours: string;
}

/** Why they differ. */
export const reasons = ['safer', "QEMU's fault", 'ours differs by design'] as const;
export type Reason = (typeof reasons)[number];

/** One line of the table: a difference on each of the devices and hosts, by each of the accesses. */
export interface ExplainedDifference {
  readonly devices: readonly string[];
  /** Profiles of the lab: each has a QEMU of its own. */
  readonly hosts: readonly string[];
  readonly register: string;
  readonly offset: number;
  readonly accesses: readonly string[];
  readonly qemu: string;
  readonly ours: string;
  readonly reason: Reason;
  readonly why: string;
}

const nothing = '–';
const keyOf = ({ offset, register, access }: Omit<Observation, 'value'>) => `${offset} ${register} | ${access}`;

/** Both models' observations of one device, side by side, as far as they differ. */
export function compareObservations(qemu: readonly Observation[], ours: readonly Observation[]): Difference[] {
  const theirs = new Map(qemu.map((one) => [keyOf(one), one]));
  const mine = new Map(ours.map((one) => [keyOf(one), one]));
  const all = new Map([...theirs, ...mine]);
  return [...all]
    .map(([key, { register, offset, access }]) => ({
      register,
      offset,
      access,
      qemu: theirs.get(key)?.value ?? nothing,
      ours: mine.get(key)?.value ?? nothing,
    }))
    .filter((one) => one.qemu !== one.ours)
    .sort((a, b) => a.offset - b.offset);
}

/** What was found and is in no line, and what is in a line and was not found; each as a sentence. */
export function judgeDifferences(
  host: string,
  device: string,
  found: readonly Difference[],
  table: readonly ExplainedDifference[],
): { readonly unexplained: string[]; readonly outdated: string[] } {
  const explained = new Set(
    table
      .filter(({ hosts, devices }) => hosts.includes(host) && devices.includes(device))
      .flatMap(({ accesses, ...line }) => accesses.map((access) => sentence({ ...line, access }))),
  );
  const seen = new Set(found.map(sentence));
  const say = (text: string) => `${host}, ${device}: ${text}`;
  return {
    unexplained: [...seen].filter((one) => !explained.has(one)).map(say),
    outdated: [...explained].filter((one) => !seen.has(one)).map(say),
  };
}

function sentence({ register, offset, access, qemu, ours }: Difference): string {
  return `${register} at 0x${offset.toString(16)}, ${access}: QEMU ${qemu}, xenpt ${ours}`;
}

/** A difference of one device on one host, as it was found. */
export interface FoundDifference extends Difference {
  readonly host: string;
  readonly device: string;
}

/** Lines as short as they can be: what is the same by several accesses, on several devices or hosts stands once. */
export function mergeDifferences(found: readonly FoundDifference[]): Omit<ExplainedDifference, 'reason' | 'why'>[] {
  const grouped = groupBy(found, ({ host, device, register, offset, qemu, ours }) =>
    JSON.stringify([host, device, register, offset, qemu, ours]),
  );
  const perHost = [...grouped.values()].map((group) => ({
    ...first(group),
    accesses: group.map((one) => one.access),
  }));
  const perDevice = groupBy(perHost, ({ device, register, offset, accesses, qemu, ours }) =>
    JSON.stringify([device, register, offset, accesses, qemu, ours]),
  );
  const overHosts = [...perDevice.values()].map((group) => ({
    ...first(group),
    hosts: group.map((one) => one.host),
  }));
  const overDevices = groupBy(overHosts, ({ hosts, register, offset, accesses, qemu, ours }) =>
    JSON.stringify([hosts, register, offset, accesses, qemu, ours]),
  );
  return [...overDevices.values()]
    .map((group) => {
      const { hosts, register, offset, accesses, qemu, ours } = first(group);
      return { devices: group.map((one) => one.device), hosts, register, offset, accesses, qemu, ours };
    })
    .sort((a, b) => a.offset - b.offset);
}

function groupBy<T>(values: readonly T[], keyOfOne: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOfOne(value);
    groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  return groups;
}

function first<T>(values: readonly T[]): T {
  const [value] = values;
  if (value === undefined) throw new RangeError('an empty group');
  return value;
}
