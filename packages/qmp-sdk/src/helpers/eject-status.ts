import { isObject } from './jobs.js';

// ACPI 6.5, 6.3.5 (_OST): the platform asked for the ejection, or somebody in the guest did.
const ejectSources: ReadonlySet<unknown> = new Set([0x3, 0x103]);
const statusSuccess = 0;
const statusInProgress = 0x84;
const statusNames: ReadonlyMap<number, string> = new Map([
  [0x80, 'ejection not supported'],
  [0x81, 'in use by an application'],
  [0x82, 'busy'],
  [0x83, 'something that depends on it is busy'],
]);

/** Which device an ACPI_DEVICE_OST is about: its id. */
export function ejectedDevice(data: unknown): unknown {
  return isObject(data) && isObject(data['info']) ? data['info']['device'] : undefined;
}

/**
 * What a guest says when it does not let go of memory or a processor, in the data of ACPI_DEVICE_OST; undefined when it
 * says something else. QEMU has no other sign of it on x86.
 */
export function ejectRefusal(data: unknown): string | undefined {
  const info = isObject(data) && isObject(data['info']) ? data['info'] : {};
  const { source, status } = info as { readonly source?: unknown; readonly status?: unknown };
  if (!ejectSources.has(source) || typeof status !== 'number') return undefined;
  if (status === statusSuccess || status === statusInProgress) return undefined;
  return `${statusNames.get(status) ?? 'failed'} (_OST status 0x${status.toString(16)})`;
}
