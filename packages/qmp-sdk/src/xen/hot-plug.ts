import { XenptError } from '../errors.js';
import { hotPlug, hotUnplug } from '../helpers/devices.js';
import type { QmpMonitor } from '../helpers/monitor.js';
import { listPciFunctions } from '../helpers/pci.js';
import type { Domain } from './domains.js';
import { describeError, XenErrorCode } from './errors.js';
import type { XenHost } from './host.js';
import type { ModelClient } from './model-client.js';
import { passOnEjects } from './pass-on-ejects.js';
import { connectToGuestEvents, withGuestQmp } from './qmp.js';
import type { Occupant } from './slots.js';

/**
 * The guest learns of a new device by ACPI, and its ACPI is QEMU's. So QEMU plugs a device of its own into the slot
 * that our ioreq server has claimed; Xen asks the newer server first, and the guest never sees the placeholder:
 *
 *     attach    our server claims 05.0 ─ device_add ─ ACPI: device check ─ guest enumerates 05.0: ours
 *     detach    ours takes the port of ejects ─ device_del ─ ACPI: eject request ─ guest stops its driver, ejects
 *               ─ the slot is empty ─ QEMU is given the eject ─ DEVICE_DELETED ─ ours goes
 *
 * This one does nothing by itself, and every build of QEMU for Xen that Debian ships has it.
 */
const PLACEHOLDER_DRIVER = 'pci-testdev';

/** A system that is shutting a driver down answers late, one that has no ACPI hot-plug never. */
export const EJECT_TIMEOUT_MS = 15_000;

/** What is known of the slots of a guest's bus 0 beside our own records. */
export interface EmulatedSlots {
  readonly occupants: readonly Occupant[];
  /** Why QEMU could not be asked; undefined if it was, or if the guest has none. */
  readonly unknown?: string;
}

/** QEMU's own devices on bus 0: our server would replace them in the eyes of the guest. */
export async function listEmulatedSlots(host: XenHost, { domid }: Domain): Promise<EmulatedSlots> {
  try {
    const functions = await withGuestQmp(host, String(domid), listPciFunctions);
    const occupants = functions.flatMap(({ bus, slot, id }) =>
      bus === 0 ? [{ slot, name: id === '' ? "a device of the guest's QEMU" : `${id} of the guest's QEMU` }] : [],
    );
    return { occupants };
  } catch (error) {
    // Only QEMU may be left out, not Xen.
    if (!(error instanceof XenptError)) throw error;
    const hasNone = error.code === XenErrorCode.noMonitor;
    return { occupants: [], ...(hasNone ? {} : { unknown: describeError(error) }) };
  }
}

/** Makes the system of a running guest look at the slot. One that has not started yet is none the wiser. */
export async function plugPlaceholder(host: XenHost, { domid }: Domain, guestDevfn: number): Promise<void> {
  await withGuestQmp(host, String(domid), (client) => hotPlug(client, placeholder(guestDevfn)));
}

/** What QEMU is asked to plug. */
export function placeholder(guestDevfn: number) {
  const slot = (guestDevfn >> 3).toString(16);
  return { driver: PLACEHOLDER_DRIVER, id: placeholderId(guestDevfn), addr: `${slot}.${guestDevfn & 7}` };
}

/** Whether the placeholder is in its slot; if not, the guest has ejected it. */
export async function hasPlaceholder(host: XenHost, { domid }: Domain, guestDevfn: number): Promise<boolean> {
  return withGuestQmp(host, String(domid), (client) => isPlugged(client, guestDevfn));
}

/**
 * Asks the guest to let go of the slot and waits until it has; returns at once if it has already. The wait is at the
 * second monitor, so that `xl` is not held up meanwhile.
 *
 * @param model takes the guest's ejects until this connection to it ends
 * @throws QmpUnplugError QMP_UNPLUG_REFUSED, QMP_UNPLUG_PENDING: the request stays with the guest; what the
 * connections throw.
 */
export async function ejectPlaceholder(
  host: XenHost,
  { domid }: Domain,
  guestDevfn: number,
  model: ModelClient,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const options = signal ? { signal } : {};
  const { client } = await connectToGuestEvents(host, String(domid), options);
  try {
    await passOnEjects(model, client, async () => {
      if (!(await isPlugged(client, guestDevfn))) return;
      await hotUnplug(client, placeholderId(guestDevfn), { timeoutMs, ...options });
    });
  } finally {
    client.destroy();
  }
}

async function isPlugged(monitor: QmpMonitor, guestDevfn: number): Promise<boolean> {
  const functions = await listPciFunctions(monitor);
  return functions.some(({ id }) => id === placeholderId(guestDevfn));
}

/** Asks without waiting: the placeholder goes when the guest lets go, or with the guest. */
export async function withdrawPlaceholder(host: XenHost, { domid }: Domain, guestDevfn: number): Promise<void> {
  await withGuestQmp(host, String(domid), (client) => client.raw('device_del', { id: placeholderId(guestDevfn) }));
}

export function placeholderId(guestDevfn: number): string {
  return `xenpt-${(guestDevfn >> 3).toString(16).padStart(2, '0')}.${guestDevfn & 7}`;
}
