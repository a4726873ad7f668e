import { expandBdf, parsePassthroughSpec, type XenErrorCode, XenOperationError } from '@xenpt/qmp-sdk/xen';
import { UsageError } from './usage-error.js';
import type { VerbContext } from './verb.js';

/** One device failed after others were done; what was done stays done and is reported. */
export class PartlyDone extends Error {
  readonly done: readonly object[];

  constructor(done: readonly object[], cause: unknown) {
    super('only some of the devices were done', { cause });
    this.name = 'PartlyDone';
    this.done = done;
  }
}

/** The functions that the words mean, each once, in their order: `03:00.*` is all of that device. */
export function expandDevices({ host }: VerbContext, words: readonly string[]): string[] {
  return [...new Set(words.flatMap((word) => expandBdf(host, word)))];
}

/** The same for `BDF[@VSLOT][,key=value…]`; several functions get the first free slots. A typo comes to nothing. */
export function expandSpecs(context: VerbContext, specs: readonly string[]): string[] {
  const expanded = specs.flatMap((spec) => expandSpec(context, spec));
  expanded.forEach(parsePassthroughSpec);
  return expanded;
}

function expandSpec({ host }: VerbContext, spec: string): string[] {
  const comma = spec.indexOf(',');
  const [place, options] = comma < 0 ? [spec, ''] : [spec.slice(0, comma), spec.slice(comma)];
  const [device = '', ...slot] = place.split('@');
  if (!/\*|^[0-9a-f:]+$/i.test(device)) return [spec];
  const functions = expandBdf(host, device);
  if (slot.length === 0 && !/,vslot=/.test(options)) return functions.map((address) => `${address}${options}`);
  throw new UsageError(
    `${spec} names ${functions.length} functions and one slot`,
    'Leave the slot out, or attach each function with a slot of its own.',
  );
}

/**
 * Takes the devices one after another and stops at the first that fails.
 *
 * @param passed the code of an error with which a device that only `.*` named is passed over
 */
export async function eachDevice<D, T extends object>(
  { signal }: VerbContext,
  devices: readonly D[],
  operation: (device: D) => Promise<T>,
  passed?: XenErrorCode,
): Promise<T[]> {
  const done: T[] = [];
  let last: unknown;
  for (const device of devices) {
    try {
      signal.throwIfAborted();
      done.push(await operation(device));
    } catch (error) {
      last = error;
      if (passed !== undefined && error instanceof XenOperationError && error.code === passed) continue;
      if (done.length === 0) throw error;
      throw new PartlyDone(done, error);
    }
  }
  if (done.length === 0) throw last;
  return done;
}
