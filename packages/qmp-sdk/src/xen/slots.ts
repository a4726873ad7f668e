import { formatSbdf, type Sbdf } from '@xenpt/pci';
import { readPublishedDevices } from './device-nodes.js';
import { XenErrorCode, XenOperationError } from './errors.js';
import type { GrantRecord } from './grants.js';
import type { StoreView } from './host.js';
import { LAST_SLOT } from './spec.js';

/**
 * The emulated i440fx machine: 0 is the host bridge, 1 the PIIX functions, 2 and 3 the VGA adapter and the Xen platform
 * device in either order. A newer ioreq server would silently replace them in the eyes of the guest.
 */
const MACHINE_SLOTS = 4;
/** Slot 4 is where QEMU puts the first emulated network card. */
const FIRST_DEFAULT_SLOT = 5;

export interface Occupant {
  readonly slot: number;
  readonly name: string;
}

/**
 * Chooses the guest's slot: the asked one if nobody we know of sits there, else the first free one from 5 on.
 *
 * @param emulated what QEMU has on bus 0.
 * @returns guest devfn; always function 0, which a guest probes first.
 * @throws XenOperationError XENPT_SLOT_TAKEN, XENPT_NO_FREE_SLOT
 */
export function chooseGuestDevfn(
  store: StoreView,
  domid: number,
  records: readonly GrantRecord[],
  sbdf: Sbdf,
  asked: number | undefined,
  emulated: readonly Occupant[] = [],
): number {
  const given = findOccupants(store, domid, records).filter(({ name }) => name !== formatSbdf(sbdf));
  const occupants = [...given, ...emulated];
  if (asked !== undefined) {
    requireFree(asked, occupants);
    return asked << 3;
  }
  for (let slot = FIRST_DEFAULT_SLOT; slot <= LAST_SLOT; slot++) {
    if (!occupants.some((occupant) => occupant.slot === slot)) return slot << 3;
  }
  throw new XenOperationError(XenErrorCode.noFreeSlot, `every slot of domain ${domid} from 5 to 1f is taken`, {
    next: 'Detach a device, or give a slot from 4 on with @VSLOT.',
  });
}

function requireFree(asked: number, occupants: readonly Occupant[]): void {
  const text = `slot 0x${asked.toString(16)} of the guest`;
  if (asked < MACHINE_SLOTS) {
    throw new XenOperationError(XenErrorCode.slotTaken, `${text} belongs to the emulated machine`, {
      next: 'Take a slot from 4 to 1f (hexadecimal), or none to get the first free one.',
    });
  }
  const occupant = occupants.find(({ slot }) => slot === asked);
  if (!occupant) return;
  throw new XenOperationError(XenErrorCode.slotTaken, `${text} is taken by ${occupant.name}`, {
    next: 'Take another slot, or none to get the first free one.',
  });
}

function findOccupants(store: StoreView, domid: number, records: readonly GrantRecord[]): Occupant[] {
  const published = readPublishedDevices(store, domid).flatMap(({ sbdf, guestDevfn }) =>
    guestDevfn === undefined ? [] : [{ slot: guestDevfn >> 3, name: formatSbdf(sbdf) }],
  );
  return [...published, ...records.map(({ sbdf, guestDevfn }) => ({ slot: guestDevfn >> 3, name: sbdf }))];
}
