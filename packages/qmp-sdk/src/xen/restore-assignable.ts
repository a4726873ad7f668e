import { parseSbdf, resolveIdentity } from '@xenpt/pci';
import { type AssignableOptions, addAssignable } from './assignable-add.js';
import { type Assignment, ASSIGNMENTS_PATH, formatAssignments, readAssignments } from './assignments.js';
import { writeAtomically } from './atomic-file.js';
import { describeError, nextStepOf } from './errors.js';
import type { XenHost } from './host.js';
import { listInventory } from './inventory.js';
import { storePath } from './paths.js';
import { identityChanged } from './persist.js';
import { requireRoot } from './require-root.js';

export interface RestoredDevice {
  /** Where it is now; where it was, if it is not found. */
  readonly sbdf: string;
  /**
   * - `taken`: from its driver, or from none.
   * - `held`: pciback had it already.
   * - `changed`: its place holds another card, which was not touched.
   * - `absent`: its place is empty.
   * - `failed`: see the sentence.
   */
  readonly outcome: 'taken' | 'held' | 'changed' | 'absent' | 'failed';
  readonly sentence: string;
}

/**
 * At boot: makes the devices assignable that are kept so, each found by what it is and where it is plugged in, whatever
 * its address is now. One that fails keeps no other from it.
 *
 * @throws XenOperationError XENPT_NOT_ROOT, XENPT_NO_XEN
 */
export async function restoreAssignable(
  host: XenHost,
  options: Pick<AssignableOptions, 'signal' | 'onStep'> = {},
): Promise<readonly RestoredDevice[]> {
  requireRoot(host, 'take devices from their drivers');
  const assignments = readAssignments(host.sysfs);
  if (assignments.length === 0) return [];
  void host.toolstack;
  const { functions } = listInventory(host);
  const places = assignments.map((assignment) => ({
    assignment,
    place: resolveIdentity(assignment.identity, functions),
  }));
  const together = places.flatMap(({ place }) => (place.kind === 'found' ? [place.address] : []));
  const restored: RestoredDevice[] = [];
  for (const { assignment, place } of places) {
    if (place.kind === 'found') restored.push(await take(host, assignment, place.address, { ...options, together }));
    else if (place.kind === 'changed') {
      restored.push(entry(place.address, 'changed', identityChanged(place.address, place.differences)));
    } else {
      const where = place.elsewhere.length === 0 ? '' : `; such a card is at ${place.elsewhere.join(', ')}`;
      const { address, identity } = assignment;
      restored.push({
        sbdf: address,
        outcome: 'absent',
        sentence: `${identity.path} (${address}) is empty${where}.`,
      });
    }
  }
  rememberPlaces(
    host,
    places.map(({ assignment, place }) =>
      place.kind === 'found' ? { ...assignment, address: place.address } : assignment,
    ),
    assignments,
  );
  return restored;
}

async function take(
  host: XenHost,
  { address, driver, overrides }: Assignment,
  sbdf: string,
  options: AssignableOptions,
): Promise<RestoredDevice> {
  try {
    const { already } = await addAssignable(host, sbdf, { ...options, overrides });
    // pciback was faster than every driver: where the card goes back to is what was recorded with it.
    const node = storePath.driverPath(parseSbdf(sbdf));
    if (driver !== null && host.store.read(node) === null) host.store.write(node, driver);
    const moved = sbdf === address ? '' : `, which was ${address} when it was recorded,`;
    return already
      ? { sbdf, outcome: 'held', sentence: `${sbdf}${moved} is assignable: pciback had it already.` }
      : { sbdf, outcome: 'taken', sentence: `${sbdf}${moved} is assignable.` };
  } catch (error) {
    return entry(sbdf, 'failed', error);
  }
}

function entry(sbdf: string, outcome: 'changed' | 'failed', error: unknown): RestoredDevice {
  const next = nextStepOf(error);
  return { sbdf, outcome, sentence: `${describeError(error)}.${next === undefined ? '' : ` ${next}`}` };
}

/** Addresses are for people; they see those of now. */
function rememberPlaces(
  { sysfs: { root } }: XenHost,
  now: readonly Assignment[],
  before: readonly Assignment[],
): void {
  const text = formatAssignments(now);
  if (text !== formatAssignments(before)) writeAtomically(root + ASSIGNMENTS_PATH, text, 0o644);
}
