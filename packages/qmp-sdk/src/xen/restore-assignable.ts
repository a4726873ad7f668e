import { parseSbdf, resolveIdentity } from '@xenpt/pci';
import { type AssignableOptions, addAssignable } from './assignable-add.js';
import { type Assignment, ASSIGNMENTS_PATH, formatAssignments, readAssignments } from './assignments.js';
import { writeAtomically } from './atomic-file.js';
import { describeError, nextStepOf } from './errors.js';
import type { XenHost } from './host.js';
import { listInventory } from './inventory.js';
import type { OperationPlan } from './operation-plan.js';
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
  /** Of a dry run: what would be written where; null where nothing would be. */
  readonly plan: OperationPlan | null;
}

/**
 * At boot: makes the devices assignable that are kept so, each found by what it is and where it is plugged in, whatever
 * its address is now. One that fails keeps no other from it. A dry run tells the outcome that each would have.
 *
 * @throws XenOperationError XENPT_NOT_ROOT, XENPT_NO_XEN
 */
export async function restoreAssignable(
  host: XenHost,
  options: Pick<AssignableOptions, 'signal' | 'onStep' | 'dryRun'> = {},
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
        plan: null,
      });
    }
  }
  if (options.dryRun === true) return restored;
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
    const { already, plan } = await addAssignable(host, sbdf, { ...options, overrides });
    // pciback was faster than every driver: where the card goes back to is what was recorded with it.
    const node = storePath.driverPath(parseSbdf(sbdf));
    const forgotten = driver !== null && host.store.read(node) === null;
    const moved = sbdf === address ? '' : `, which was ${address} when it was recorded,`;
    const outcome = already ? 'held' : 'taken';
    if (plan !== null) {
      const records = plan.steps.some(({ writes }) => writes.some((write) => write.startsWith(`xenstore ${node} =`)));
      const remember = { title: 'record the driver', writes: [`xenstore ${node} = "${driver ?? ''}"`] };
      const steps = forgotten && !records ? [...plan.steps, remember] : plan.steps;
      const sentence = `${sbdf}${moved} would be made assignable${already ? ': pciback has it already' : ''}.`;
      return { sbdf, outcome, sentence, plan: { ...plan, steps } };
    }
    if (forgotten) host.store.write(node, driver);
    const sentence = `${sbdf}${moved} is assignable${already ? ': pciback had it already' : ''}.`;
    return { sbdf, outcome, sentence, plan };
  } catch (error) {
    return entry(sbdf, 'failed', error);
  }
}

function entry(sbdf: string, outcome: 'changed' | 'failed', error: unknown): RestoredDevice {
  const next = nextStepOf(error);
  const sentence = `${describeError(error)}.${next === undefined ? '' : ` ${next}`}`;
  return { sbdf, outcome, sentence, plan: null };
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
