import type { JsonObject } from '../qmp/json.js';
import { isCommandError } from '../qmp/errors.js';
import { ejectedDevice, ejectRefusal } from './eject-status.js';
import { QmpOperationError, QmpOperationErrorCode } from './errors.js';
import { isObject } from './jobs.js';
import type { QmpMonitor, ResultOf, WaitOptions } from './monitor.js';
import { expired, Observer } from './observer.js';

const UNPLUG_TIMEOUT_MS = 10_000;
const PERIPHERAL = '/machine/peripheral';

/** What a device stands on; made before the device, and taken away after it. */
export type DeviceBackend =
  | { readonly blockdev: JsonObject }
  | { readonly netdev: JsonObject }
  | { readonly chardev: JsonObject }
  | { readonly object: JsonObject };
type BackendKind = 'blockdev' | 'netdev' | 'chardev' | 'object';

/** How each kind is made and taken away. `id`: the member of its options that names it. */
const backendCommands: Readonly<Record<BackendKind, { add: string; remove: string; id: string }>> = {
  blockdev: { add: 'blockdev-add', remove: 'blockdev-del', id: 'node-name' },
  netdev: { add: 'netdev_add', remove: 'netdev_del', id: 'id' },
  chardev: { add: 'chardev-add', remove: 'chardev-remove', id: 'id' },
  object: { add: 'object-add', remove: 'object-del', id: 'id' },
};

/** `id` names the device, in letters, digits, `-`, `.` and `_`. Any other member is a property of the driver. */
export type DeviceDescription = JsonObject & { readonly driver: string; readonly id: string };

export interface PluggedDevice {
  readonly id: string;
  /** In QEMU's object tree. */
  readonly path: string;
  readonly backends: readonly DeviceBackend[];
}

export interface UnplugOptions extends WaitOptions {
  /** How long the guest may take; 10 s. */
  readonly timeoutMs?: number;
  /** Taken away once the device is gone, last first. */
  readonly backends?: readonly DeviceBackend[];
}

export interface Unplugged {
  readonly path: string;
  /** `event`: DEVICE_DELETED came; `state`: it was found to be gone. */
  readonly seenBy: 'event' | 'state';
  readonly elapsedMs: number;
}

/** The guest did not let go of the device. */
export class QmpUnplugError extends QmpOperationError {
  readonly path: string;

  constructor(code: QmpOperationErrorCode, path: string, message: string, next: string) {
    super(code, message, { next });
    this.name = 'QmpUnplugError';
    this.path = path;
  }
}

/**
 * Makes what the device stands on, in the order given, and then the device: all of it, or nothing.
 * Whether the guest has found the device is the guest's secret: ask it, or look for its driver's effects.
 *
 * @throws RangeError for an id that QEMU would not take; QmpCommandError with QEMU's reason.
 */
export async function hotPlug(
  monitor: QmpMonitor,
  device: DeviceDescription,
  backends: readonly DeviceBackend[] = [],
): Promise<PluggedDevice> {
  requireId(device.id);
  const made: DeviceBackend[] = [];
  try {
    for (const backend of backends) {
      const { kind, options } = unwrap(backend);
      await monitor.raw(backendCommands[kind].add, options);
      made.push(backend);
    }
    await monitor.raw('device_add', device);
  } catch (error) {
    await removeBackends(monitor, made).catch(() => {});
    throw error;
  }
  return { id: device.id, path: `${PERIPHERAL}/${device.id}`, backends };
}

/**
 * Asks the guest to let go of a device and waits until it is gone.
 *
 * @param device its id, its path in QEMU's object tree, or what {@link hotPlug} returned.
 * @throws QmpUnplugError `QMP_UNPLUG_REFUSED` when the guest says no, which on x86 it can for memory and processors
 * only; `QMP_UNPLUG_PENDING` when it has said nothing yet: it may still let go, and asking again is safe.
 * QmpAbortedError at the signal, which takes nothing back.
 */
export async function hotUnplug(
  monitor: QmpMonitor,
  device: string | PluggedDevice,
  options: UnplugOptions = {},
): Promise<Unplugged> {
  const given = typeof device === 'string' ? device : device.path;
  const path = given.startsWith('/') ? given : `${PERIPHERAL}/${given}`;
  const id = path.startsWith(`${PERIPHERAL}/`) ? path.slice(PERIPHERAL.length + 1) : undefined;
  const backends = options.backends ?? (typeof device === 'string' ? [] : device.backends);
  const { timeoutMs = UNPLUG_TIMEOUT_MS, pollIntervalMs, signal } = options;
  const startedMs = performance.now();
  using observer = new Observer<Unplugged['seenBy']>(monitor, {
    what: `the guest to let go of ${path}`,
    events: ['DEVICE_DELETED', 'DEVICE_UNPLUG_GUEST_ERROR', 'MEM_UNPLUG_ERROR', 'ACPI_DEVICE_OST'],
    // A virtio device is deleted in two steps with an event each; the first is of PATH/virtio-backend.
    where: ({ data }) =>
      isObject(data) &&
      (data['path'] === path || (id !== undefined && [data['device'], ejectedDevice(data)].includes(id))),
    onEvent: ({ event, data }) => {
      if (event === 'DEVICE_DELETED') return 'event';
      if (event !== 'ACPI_DEVICE_OST') throw refused(path);
      const reason = ejectRefusal(data);
      if (reason !== undefined) throw refused(path, reason);
      return undefined;
    },
    poll: async (remainingMs) => ((await isThere(monitor, path, remainingMs)) ? undefined : 'state'),
    timeoutMs,
    ...(pollIntervalMs === undefined ? {} : { pollIntervalMs }),
    ...(signal ? { signal } : {}),
  });
  await askToLetGo(monitor, id ?? path, timeoutMs);
  const seenBy = await observer.settle();
  if (seenBy === expired) throw pending(path, timeoutMs, await runState(monitor));
  await removeBackends(monitor, backends);
  return { path, seenBy, elapsedMs: performance.now() - startedMs };
}

/**
 * QEMU has no other sign of it than these words (qdev-monitor.c since 5.1), and it is no failure: the guest was
 * asked.
 */
const ASKED_BEFORE = /\bin the process of unplug\b/;

async function askToLetGo(monitor: QmpMonitor, id: string, timeoutMs: number): Promise<void> {
  try {
    await monitor.raw('device_del', { id }, { timeoutMs });
  } catch (error) {
    if (!isCommandError(error, 'GenericError') || !ASKED_BEFORE.test(error.desc)) throw error;
  }
}

async function isThere(monitor: QmpMonitor, path: string, remainingMs: number | undefined): Promise<boolean> {
  const separator = path.lastIndexOf('/');
  const options = remainingMs === undefined ? {} : { timeoutMs: remainingMs };
  try {
    const parent = path.slice(0, separator);
    const children = await monitor.raw<ResultOf<'qom-list'>>('qom-list', { path: parent }, options);
    return children.some(({ name }) => name === path.slice(separator + 1));
  } catch (error) {
    // The parent may be gone together with it.
    if (isCommandError(error)) return false;
    throw error;
  }
}

async function removeBackends(monitor: QmpMonitor, backends: readonly DeviceBackend[]): Promise<void> {
  for (const backend of [...backends].reverse()) {
    const { kind, options } = unwrap(backend);
    const { remove, id } = backendCommands[kind];
    await monitor.raw(remove, { [id]: options[id] });
  }
}

function unwrap(backend: DeviceBackend): { kind: BackendKind; options: JsonObject } {
  const [[kind, options]] = Object.entries(backend) as [[BackendKind, JsonObject]];
  return { kind, options };
}

function requireId(id: string): void {
  if (/^[A-Za-z][A-Za-z0-9._-]*$/.test(id)) return;
  throw new RangeError(`"${id}" is no id: QEMU takes a letter and then letters, digits, "-", "." and "_".`);
}

async function runState(monitor: QmpMonitor): Promise<string | undefined> {
  try {
    return (await monitor.raw<ResultOf<'query-status'>>('query-status')).status;
  } catch (error) {
    // A QEMU that no longer answers is the better explanation.
    if (!isCommandError(error)) throw error;
    return undefined;
  }
}

function refused(path: string, reason?: string): QmpUnplugError {
  return new QmpUnplugError(
    QmpOperationErrorCode.unplugRefused,
    path,
    `the guest refuses to let go of ${path}${reason === undefined ? '' : `: ${reason}`}`,
    'See the log of the guest: something in it still uses the device.',
  );
}

function pending(path: string, timeoutMs: number, status: string | undefined): QmpUnplugError {
  const still = status === undefined || status === 'running' ? '' : `; it is ${status}, and cannot`;
  return new QmpUnplugError(
    QmpOperationErrorCode.unplugPending,
    path,
    `the guest has not let go of ${path} within ${timeoutMs} ms${still}`,
    still === ''
      ? 'Wait and ask again: the guest may be booting, or may not support hot-unplug.'
      : 'Let the guest run, and ask again.',
  );
}
