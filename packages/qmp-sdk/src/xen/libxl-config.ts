import { readFileSync } from 'node:fs';
import { parseSbdf, type Sbdf } from '@xenpt/pci';
import { writeAtomically } from './atomic-file.js';
import type { Domain } from './domains.js';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { HandOver } from './hand-over.js';
import type { XenHost } from './host.js';
import { takeLibxlLock } from './libxl-lock.js';

const LOCK_TIMEOUT_MS = 10_000;
/** The largest honest one, of a guest with hundreds of disks, has some hundred KiB. */
const MAX_BYTES = 4 * 1024 * 1024;

/** libxl_domain_config of libxl_types.idl, in JSON; a member that stands at its default may be missing. */
export interface LibxlConfig {
  readonly [member: string]: unknown;
  readonly pcidevs?: readonly LibxlDevice[];
}

/** libxl_device_pci. */
export interface LibxlDevice {
  readonly domain?: number;
  readonly bus?: number;
  readonly dev?: number;
  readonly func?: number;
  readonly vdevfn?: number;
  readonly permissive?: boolean;
  readonly rdm_policy?: string;
}

/**
 * What libxl keeps of the configuration of a domain; undefined if there is none.
 *
 * @throws SyntaxError
 */
export function readLibxlConfig(path: string): LibxlConfig | undefined {
  const text = readText(path);
  return text === undefined ? undefined : (JSON.parse(text) as LibxlConfig);
}

/**
 * Writes a device of QEMU's model into libxl's configuration of the domain, as `xl pci-attach` does: when the guest
 * restarts, `xl` builds it from that, and has QEMU plug the device before the firmware runs.
 *
 * @throws XenOperationError XENPT_LOCKED, XENPT_STEP_FAILED; the file is as it was then
 */
export async function rememberInLibxl(host: XenHost, domain: Domain, device: LibxlDevice): Promise<void> {
  const changed = await changeDevices(host, domain, (devices) => [
    ...devices.filter((known) => !isSame(known, device)),
    device,
  ]);
  if (!changed) throw notKept('there is no configuration of libxl');
}

/** libxl forgets by itself, at the next restart, what xenstore does not have: not to get here is no harm. */
export async function forgetInLibxl(host: XenHost, domain: Domain, sbdf: string): Promise<void> {
  const device = addressOf(parseSbdf(sbdf));
  try {
    await changeDevices(host, domain, (devices) => devices.filter((known) => !isSame(known, device)));
  } catch (error) {
    if (!(error instanceof XenOperationError)) throw error;
  }
}

/** What stands in libxl's configuration for a device. */
export function libxlDevice({ name, guestDevfn, options, recordedOptions }: Omit<HandOver, 'domain'>): LibxlDevice {
  return {
    ...addressOf(parseSbdf(name)),
    vdevfn: guestDevfn,
    ...(options.permissive === true ? { permissive: true } : {}),
    rdm_policy: recordedOptions?.rdmPolicy ?? 'strict',
  };
}

function addressOf({ segment, bus, device, function: func }: Sbdf) {
  return { domain: segment, bus, dev: device, func };
}

function isSame(one: LibxlDevice, other: LibxlDevice): boolean {
  return (['domain', 'bus', 'dev', 'func'] as const).every((member) => (one[member] ?? 0) === (other[member] ?? 0));
}

/** @returns false if there is no configuration */
async function changeDevices(
  { libxlConfig }: XenHost,
  { domid, info }: Domain,
  change: (devices: readonly LibxlDevice[]) => readonly LibxlDevice[],
): Promise<boolean> {
  const path = libxlConfig.file(domid, info.handle);
  const lock = await takeLibxlLock(libxlConfig.lock(domid, info.handle), {
    timeoutMs: LOCK_TIMEOUT_MS,
    guards: "libxl's configuration of the guest",
  });
  try {
    const text = readText(path);
    if (text === undefined) return false;
    const config = parseExactly(path, text);
    const { pcidevs = [], ...others } = config;
    const devices = change(pcidevs);
    const all = devices.length === 0 ? others : { ...others, pcidevs: devices };
    // libxl reads it as a C string, and stores the end with it.
    writeAtomically(path, `${JSON.stringify(all, null, 4)}\n\0`);
    return true;
  } finally {
    lock.release();
  }
}

/** A number that a double does not hold exactly would be another one when it is written again. */
function parseExactly(path: string, text: string): LibxlConfig {
  const withoutStrings = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  if (/\d{16}|\d[.eE]/.test(withoutStrings)) throw notKept(`${path} has numbers that are not exact here`);
  try {
    const config = JSON.parse(text) as LibxlConfig;
    if (config.pcidevs !== undefined && !Array.isArray(config.pcidevs)) throw new TypeError('pcidevs is no list');
    return config;
  } catch (cause) {
    throw notKept(`${path} cannot be read`, cause);
  }
}

function readText(path: string): string | undefined {
  try {
    const content = readFileSync(path);
    if (content.length > MAX_BYTES) throw notKept(`${path} has ${content.length} bytes, more than ${MAX_BYTES}`);
    const end = content.indexOf(0);
    return content.toString('utf8', 0, end < 0 ? content.length : end);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function notKept(why: string, cause?: unknown): XenOperationError {
  return new XenOperationError(XenErrorCode.stepFailed, why, {
    ...(cause === undefined ? {} : { cause }),
    next: 'After a restart of the guest, attach the device again.',
  });
}
