import { setTimeout as sleep } from 'node:timers/promises';
import { formatSbdf, parseSbdf, type Sbdf } from '@xenpt/pci';
import { hotPlug, hotUnplug } from '../helpers/devices.js';
import type { QmpMonitor } from '../helpers/monitor.js';
import { type GuestPciFunction, listPciFunctions } from '../helpers/pci.js';
import { isCommandError } from '../qmp/errors.js';
import type { Domain } from './domains.js';
import { describeError, XenErrorCode, XenOperationError } from './errors.js';
import type { GrantRecord } from './grants.js';
import type { HandOver, Handed } from './hand-over.js';
import type { XenHost } from './host.js';
import { forgetInLibxl, libxlDevice, rememberInLibxl } from './libxl-config.js';
import { giveEject } from './pass-on-ejects.js';
import { connectToGuestEvents, withGuestQmp } from './qmp.js';
import { formatGuestAddress } from './spec.js';
import type { Steps } from './steps.js';

/** The device of QEMU that passes one through (hw/xen/xen_pt.c). */
const DRIVER = 'xen-pci-passthrough';
/** It reads the whole device and maps its interrupt; libxl waits 10 s for each answer. */
const BURST_TIMEOUT_MS = 20_000;
/** From the eject that we make ourselves to QEMU's list without the device. */
const GONE_TIMEOUT_MS = 5_000;
const POLL_INTERVAL_MS = 100;

/** libxl's name of a device in QEMU (tools/libs/light/libxl_pci.c, PCI_PT_QDEV_ID). It has no segment. */
export function qemuDeviceId({ bus, device, function: number }: Sbdf): string {
  const [busText, deviceText] = [bus, device].map((value) => value.toString(16).padStart(2, '0'));
  return `pci-pt-${busText}_${deviceText}.${number}`;
}

/**
 * Has QEMU show the device to the guest, as libxl does; but after it has been assigned and permitted, so that a guest
 * that is told of it may use it at once.
 */
export async function handToQemu(host: XenHost, plan: HandOver, steps: Steps): Promise<Handed> {
  const { domain, name } = plan;
  const remove = () => removeFromQemu(host, domain, { sbdf: name });
  await steps.run(
    "have the guest's QEMU plug it",
    async () => {
      try {
        await plug(host, plan);
      } catch (error) {
        await remove();
        throw error;
      }
    },
    remove,
  );
  const warnings = await steps.run(
    'have xl plug it again when the guest restarts',
    () => remember(host, plan),
    () => forgetInLibxl(host, domain, name),
  );
  const attached = { pirq: null, hidden: [], vectors: null };
  return { attached, modelStarted: false, announced: true, warnings, close: () => {} };
}

/** No reason to take the device away again. */
async function remember(host: XenHost, plan: HandOver): Promise<string[]> {
  try {
    await rememberInLibxl(host, plan.domain, libxlDevice(plan));
    return [];
  } catch (error) {
    if (!(error instanceof XenOperationError)) throw error;
    return [`It stays the guest's only until the guest restarts: ${describeError(error)}`];
  }
}

/** What QEMU is asked to plug. */
export function qemuDevice({ name, guestDevfn, options }: Pick<HandOver, 'name' | 'guestDevfn' | 'options'>) {
  return {
    driver: DRIVER,
    id: qemuDeviceId(parseSbdf(name)),
    hostaddr: name,
    addr: `${(guestDevfn >> 3).toString(16)}.${guestDevfn & 7}`,
    ...(options.permissive === true ? { permissive: true } : {}),
  };
}

async function plug(host: XenHost, plan: HandOver): Promise<void> {
  const { name: sbdf, guestDevfn } = plan;
  const device = qemuDevice(plan);
  await burst(host, plan.domain.domid, async (client) => {
    await hotPlug(client, device);
    const found = await findIn(client, device.id);
    if (found && found.bus === 0 && ((found.slot << 3) | found.function) === guestDevfn) return;
    const place = found ? `at ${formatSbdf({ ...found, segment: 0, device: found.slot })}` : 'nowhere';
    throw new XenOperationError(
      XenErrorCode.stepFailed,
      `QEMU has put ${sbdf} ${place}, not at ${formatGuestAddress(guestDevfn)}`,
      { next: 'Try another slot; see the log of its QEMU, /var/log/xen/qemu-dm-*.log.' },
    );
  });
}

/**
 * Asks the guest to let go of a device of QEMU's model, and waits until QEMU has let go of it too.
 *
 * @throws QmpUnplugError, as `hotUnplug`; what the connection throws
 */
export async function ejectFromQemu(
  host: XenHost,
  { domid }: Domain,
  { sbdf }: Pick<GrantRecord, 'sbdf'>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const id = qemuDeviceId(parseSbdf(sbdf));
  const options = signal ? { signal } : {};
  const { client } = await connectToGuestEvents(host, String(domid), options);
  try {
    if (!(await findIn(client, id))) return;
    await hotUnplug(client, id, { timeoutMs, ...options });
  } finally {
    client.destroy();
  }
}

/**
 * Takes a device out of QEMU without the guest: makes the write to the port of ejects that the guest would make. A
 * device that is not there is fine.
 *
 * @throws XenOperationError XENPT_STEP_FAILED if QEMU keeps it
 */
export async function removeFromQemu(
  host: XenHost,
  { domid }: Domain,
  { sbdf }: Pick<GrantRecord, 'sbdf'>,
): Promise<void> {
  const id = qemuDeviceId(parseSbdf(sbdf));
  await burst(host, domid, async (client) => {
    const found = await findIn(client, id);
    if (!found) return;
    await askOnce(client, id);
    await giveEject(client, found.slot);
    const deadline = host.clock.now() + GONE_TIMEOUT_MS;
    while (await findIn(client, id)) {
      if (host.clock.now() >= deadline) throw kept(sbdf);
      await sleep(POLL_INTERVAL_MS);
    }
  });
}

/** QEMU may have been asked before, by a command that did not wait for the guest. */
async function askOnce(client: QmpMonitor, id: string): Promise<void> {
  try {
    await client.raw('device_del', { id });
  } catch (error) {
    if (!isCommandError(error, 'GenericError')) throw error;
  }
}

async function findIn(client: QmpMonitor, id: string): Promise<GuestPciFunction | undefined> {
  return (await listPciFunctions(client)).find((found) => found.id === id);
}

function burst(host: XenHost, domid: number, work: (client: QmpMonitor) => Promise<void>): Promise<void> {
  return withGuestQmp(host, String(domid), work, { timeoutMs: BURST_TIMEOUT_MS, commandTimeoutMs: BURST_TIMEOUT_MS });
}

function kept(sbdf: string): XenOperationError {
  return new XenOperationError(
    XenErrorCode.stepFailed,
    `QEMU has not let go of ${sbdf} within ${GONE_TIMEOUT_MS / 1000} s`,
    { next: 'Look into the log of its QEMU, /var/log/xen/qemu-dm-*.log.' },
  );
}
