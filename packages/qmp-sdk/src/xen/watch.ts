import { formatSbdf, type Owner } from '@xenpt/pci';
import { type FunctionSummary, listFunctions } from '@xenpt/pci/sysfs';
import type { Clock, Store, Sysfs } from './host.js';
import { readOwners } from './owners.js';
import { sysfsOptions } from './pciback.js';

/** What is watched of a function. */
export interface WatchedFunction {
  readonly address: string;
  readonly driver: string | null;
  readonly owner: Owner;
}

/** `before` is null for a function that has appeared, `after` for one that is gone. */
export interface FunctionChange {
  readonly address: string;
  readonly before: WatchedFunction | null;
  readonly after: WatchedFunction | null;
}

export interface WatchOptions {
  /** Between two looks. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** The kernel tells of a card that is plugged in, but nobody of a guest that gets one: so it is looked at again. */
export async function* watchFunctions(
  host: { readonly sysfs: Sysfs; readonly store: Store; readonly clock: Clock },
  { intervalMs, signal }: WatchOptions,
): AsyncGenerator<FunctionChange, void> {
  let before = look(host);
  while (!signal.aborted) {
    await host.clock.sleep(intervalMs);
    if (signal.aborted) return;
    const after = look(host);
    yield* compare(before, after);
    before = after;
  }
}

function look(host: { readonly sysfs: Sysfs; readonly store: Store }): ReadonlyMap<string, WatchedFunction> {
  const { ownerOf } = readOwners(host);
  const watched = (summary: FunctionSummary): [string, WatchedFunction] => {
    const address = formatSbdf(summary.sbdf);
    return [address, { address, driver: summary.driver, owner: ownerOf(summary) }];
  };
  return new Map(listFunctions(sysfsOptions(host.sysfs)).map(watched));
}

function compare(
  before: ReadonlyMap<string, WatchedFunction>,
  after: ReadonlyMap<string, WatchedFunction>,
): FunctionChange[] {
  const addresses = [...new Set([...before.keys(), ...after.keys()])].sort();
  return addresses.flatMap((address) => {
    const change = { address, before: before.get(address) ?? null, after: after.get(address) ?? null };
    return JSON.stringify(change.before) === JSON.stringify(change.after) ? [] : [change];
  });
}
