import { randomBytes } from 'node:crypto';
import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PciError, requireXenSegment } from '@xenpt/pci';
import {
  addPciDevice,
  type DeviceSpec,
  formatDevice,
  overlaps,
  parseDevice,
  parseXlConfig,
  readPciDevices,
  removePciDevices,
  type XlConfig,
  type XlPciDevice,
} from '@xenpt/pci/grammar';
import { syncDirectory, writeAtomically } from './atomic-file.js';
import { describeError, errnoName, nextStepOf, XenErrorCode, XenOperationError } from './errors.js';
import { textDiff } from './text-diff.js';

/** No configuration is longer. */
const MAX_FILE_BYTES = 1024 * 1024;

/** What was, or would be, changed in a guest's xl.cfg. */
export interface GuestConfigChange {
  /** The file itself, where the path given was a link. */
  readonly path: string;
  readonly dryRun: boolean;
  /** As the file has, or had, them. */
  readonly devices: readonly string[];
  /** As patch(1) takes it. */
  readonly diff: string;
}

export interface GuestConfigOptions {
  /** Changes nothing. Default: false. */
  readonly dryRun?: boolean;
}

/**
 * Writes devices into `pci=[…]` of a guest's configuration, at the end of the list; every other byte stays. The file is
 * replaced as a whole and keeps its mode and owner.
 *
 * @param specs as xl.cfg has them, `0000:03:00.0@5,permissive=1`, or in any other dialect
 * @throws GrammarError for a spec
 * @throws XenOperationError XENPT_GUEST_CONFIG_HAS_DEVICE, XENPT_SLOT_TAKEN, XENPT_GUEST_CONFIG_MALFORMED,
 *   XENPT_NO_SUCH_FILE, XENPT_FILE_NOT_WRITTEN, XENPT_SPEC_SYNTAX
 */
export function addToGuestConfig(
  path: string,
  specs: readonly string[],
  options: GuestConfigOptions = {},
): GuestConfigChange {
  const devices = specs.map((spec) => parseDevice(spec));
  for (const { address } of devices) if (address) requireXenSegment({ ...address, function: 0 });
  const file = readGuestConfig(path);
  let { config } = file;
  for (const device of devices) {
    for (const entry of devicesOf(file.path, config)) requireBoth(file.path, entry, device);
    requireSlotForAll(device);
    config = parseXlConfig(addPciDevice(config, device));
  }
  return replace(
    file,
    config.text,
    devices.map((device) => formatDevice(device, 'xl')),
    options,
  );
}

/**
 * Takes devices out of `pci=[…]`. What {@link addToGuestConfig} wrote goes without a trace; comments stay.
 *
 * @param bdfs `0000:03:00.0` in any dialect; `03:00.*` is every entry of that device; `name=…` the entry of that name
 * @throws GrammarError for an address
 * @throws XenOperationError XENPT_GUEST_CONFIG_LACKS_DEVICE and as {@link addToGuestConfig}
 */
export function removeFromGuestConfig(
  path: string,
  bdfs: readonly string[],
  options: GuestConfigOptions = {},
): GuestConfigChange {
  const unwanted = bdfs.map((bdf) => parseDevice(bdf));
  const file = readGuestConfig(path);
  const entries = devicesOf(file.path, file.config);
  for (const device of unwanted) {
    if (!entries.some((entry) => isPartOf(entry.device, device))) throw lacking(file.path, entries, device);
  }
  const goes = ({ device }: XlPciDevice) => unwanted.some((one) => isPartOf(device, one));
  const gone = entries.filter(goes).map(({ written }) => written);
  return replace(file, removePciDevices(file.config, goes), gone, options);
}

/** The devices of a guest's configuration as it has them; for completion. Empty for what is none. */
export function devicesOfGuestConfig(path: string): readonly string[] {
  try {
    return readPciDevices(readGuestConfig(path).config).map(({ device }) => {
      const { address } = device;
      return address === undefined ? formatDevice(device, 'xl') : formatDevice({ address, options: {} });
    });
  } catch {
    return [];
  }
}

interface GuestConfigFile {
  readonly path: string;
  readonly config: XlConfig;
  readonly encoding: 'utf8' | 'latin1';
  readonly stat: Stats;
}

function readGuestConfig(named: string): GuestConfigFile {
  const { path, bytes, stat } = readBytes(named);
  // What is no UTF-8 comes through byte by byte.
  const encoding = Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes) ? 'utf8' : 'latin1';
  return { path, config: parsing(path, () => parseXlConfig(bytes.toString(encoding))), encoding, stat };
}

function readBytes(named: string): { readonly path: string; readonly bytes: Buffer; readonly stat: Stats } {
  try {
    // A link, as in /etc/xen/auto, stays one.
    const path = realpathSync(named);
    const stat = statSync(path);
    if (stat.isFile() && stat.size <= MAX_FILE_BYTES) return { path, bytes: readFileSync(path), stat };
  } catch (error) {
    if (errnoName(error) === 'EACCES') {
      throw new XenOperationError(XenErrorCode.notRoot, `this user may not read ${named}`, { next: asOwner });
    }
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoName(error) ?? '')) throw error;
  }
  throw new XenOperationError(XenErrorCode.noSuchFile, `there is no file ${named} of at most 1 MiB`, {
    next: "Give the path of a guest's configuration, such as /etc/xen/web.cfg.",
  });
}

const asOwner = 'Run it as root, or as the user whose file it is.';

function devicesOf(path: string, config: XlConfig): XlPciDevice[] {
  return parsing(path, () => readPciDevices(config));
}

/** @throws XenOperationError XENPT_GUEST_CONFIG_MALFORMED */
function parsing<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PciError)) throw error;
    throw new XenOperationError(
      XenErrorCode.guestConfigMalformed,
      `${path} is not changed, since it cannot be read: ${describeError(error)}`,
      { next: nextStepOf(error) ?? `See: xenpt lint ${path}`, cause: error },
    );
  }
}

/** @throws XenOperationError where the guest cannot have both */
function requireBoth(path: string, entry: XlPciDevice, device: DeviceSpec): void {
  const { written, line, device: known } = entry;
  const same = known.address && device.address ? overlaps(known.address, device.address) : known.name === device.name;
  if (same && (known.address === undefined) === (device.address === undefined)) {
    throw new XenOperationError(
      XenErrorCode.guestConfigHasDevice,
      `${path} has ${formatDevice(device, 'xl')} already: line ${line} is "${written}"`,
      { next: `To change it, first: xenpt config remove ${path} ${nameOf(known)}` },
    );
  }
  if (device.virtualSlot && device.virtualSlot === known.virtualSlot) {
    throw new XenOperationError(
      XenErrorCode.slotTaken,
      `slot ${device.virtualSlot.toString(16)} of the guest is taken: line ${line} of ${path} is "${written}"`,
      { next: 'Give it another slot, in hexadecimal, or none.' },
    );
  }
}

/** libxl attaches all functions of a device at a slot that is given only. */
function requireSlotForAll(device: DeviceSpec): void {
  if (device.address?.function !== '*' || device.virtualSlot) return;
  const example = formatDevice({ ...device, virtualSlot: 5 }, 'xl');
  throw new XenOperationError(
    XenErrorCode.specSyntax,
    `${nameOf(device)} is all functions of a device: xl attaches them at a slot that is given only`,
    { next: `Add the slot, in hexadecimal: ${example}. Or name each function.` },
  );
}

function isPartOf(entry: DeviceSpec, unwanted: DeviceSpec): boolean {
  if (entry.address === undefined || unwanted.address === undefined) {
    return entry.address === unwanted.address && entry.name === unwanted.name;
  }
  if (!overlaps(entry.address, unwanted.address)) return false;
  return unwanted.address.function === '*' || entry.address.function === unwanted.address.function;
}

function lacking(path: string, entries: readonly XlPciDevice[], device: DeviceSpec): XenOperationError {
  const { address } = device;
  const whole = entries.find((entry) => address && entry.device.address && overlaps(entry.device.address, address));
  const names = entries.map((entry) => nameOf(entry.device)).join(', ');
  const [what, next] = whole
    ? [
        `but as part of "${whole.written}" (line ${whole.line})`,
        `To take all functions away: ${nameOf(whole.device)}`,
      ]
    : [entries.length === 0 ? 'nor any other' : `but ${names}`, 'Look at the file; xenpt list has the names.'];
  return new XenOperationError(
    XenErrorCode.guestConfigLacksDevice,
    `${path} does not have ${nameOf(device)}, ${what}`,
    { next },
  );
}

function nameOf({ address, name }: DeviceSpec): string {
  return address === undefined ? `name=${name ?? ''}` : formatDevice({ address, options: {} });
}

function replace(
  file: GuestConfigFile,
  text: string,
  devices: readonly string[],
  { dryRun = false }: GuestConfigOptions,
): GuestConfigChange {
  const { path, config, encoding, stat } = file;
  const shown = (part: string) => Buffer.from(part, encoding).toString('utf8');
  const change = { path, dryRun, devices, diff: textDiff(path, shown(config.text), shown(text)) };
  if (dryRun) return change;
  const folder = dirname(path);
  try {
    writeAtomically(path, Buffer.from(text, encoding), stat.mode & 0o7777, {
      // xendomains starts what is in /etc/xen/auto, but nothing that begins with a dot.
      aside: join(folder, `.${basename(path)}.xenpt-${randomBytes(6).toString('hex')}`),
      owner: stat,
      beforeRename: () => requireUnchanged(path, stat),
    });
    syncDirectory(folder);
  } catch (error) {
    if (error instanceof XenOperationError) throw error;
    const denied = ['EACCES', 'EPERM', 'EROFS'].includes(errnoName(error) ?? '');
    throw new XenOperationError(
      denied ? XenErrorCode.notRoot : XenErrorCode.fileNotWritten,
      `${path} is as it was, since it cannot be replaced: ${describeError(error)}`,
      { next: denied ? asOwner : 'Make room there, or see what is wrong with that file system.', cause: error },
    );
  }
  return change;
}

function requireUnchanged(path: string, { ino, mtimeMs, size }: Stats): void {
  const now = statSync(path);
  if (now.ino === ino && now.mtimeMs === mtimeMs && now.size === size) return;
  throw new XenOperationError(XenErrorCode.fileNotWritten, `somebody else has just changed ${path}`, {
    next: 'Look at it and run this again.',
  });
}
