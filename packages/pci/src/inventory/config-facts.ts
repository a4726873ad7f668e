import { advancedFeatures } from '../capabilities/advanced-features.js';
import { express } from '../capabilities/express.js';
import { accessControlServices } from '../capabilities/extended/access-control-services.js';
import { deviceSerialNumber } from '../capabilities/extended/device-serial-number.js';
import { extendedCapabilities } from '../capabilities/extended/index.js';
import { msiX } from '../capabilities/msi-x.js';
import { msi } from '../capabilities/msi.js';
import { powerManagement } from '../capabilities/power-management.js';
import { readLittleEndian } from '../config-space/access.js';
import { walkCapabilityChain } from '../config-space/capability-chain.js';
import { extendedStart, maxExtendedCapabilities } from '../config-space/extended.js';
import type { ConfigFacts, FunctionInterrupts, LinkState, MsixPlace, PowerState } from './function-record.js';

const pageBytes = 4096;
const configBytes = 4096;
/** Header and registers of the longest extended capability that is looked into, the serial number. */
const extendedBytesRead = 12;
/** PCI Express Base 6.0 §7.5.3.6: codes 1 to 6. */
const gigatransfers = [0, 2.5, 5, 8, 16, 32, 64] as const;
const powerStates = ['D0', 'D1', 'D2', 'D3hot'] as const satisfies readonly PowerState[];

/**
 * Reads what it can of an image of any length and any content: a lying device gets less read, nothing thrown.
 *
 * @param sizeBytes of the whole, where `config` is its beginning up to {@link configFactsEnd} or more
 */
export function readConfigFacts(config: Uint8Array, sizeBytes: number = config.length): ConfigFacts {
  const answers = config.length >= 64 && config.subarray(0, 64).some((byte) => byte !== 0xff);
  const read = (offset: number, width: 1 | 2 | 4): number => readLittleEndian(config, offset, width);
  const headerType = answers ? read(0x0e, 1) : 0;
  const first = answers ? firstOfEach(config) : new Map<number, number>();
  const expressAt = first.get(express.id);
  const powerAt = first.get(powerManagement.id);
  const advancedAt = first.get(advancedFeatures.id);
  const extended = answers ? extendedOffsets(config) : new Map<number, number>();
  return {
    sizeBytes,
    headerType: headerType & 0x7f,
    multifunction: (headerType & 0x80) !== 0,
    answers,
    interruptPin: answers ? read(0x3d, 1) : 0,
    buses: (headerType & 0x7f) === 1 ? { secondary: read(0x19, 1), subordinate: read(0x1a, 1) } : null,
    expressType: expressAt === undefined ? null : (read(expressAt + 2, 2) >>> 4) & 0xf,
    functionLevelReset: expressAt !== undefined && (read(expressAt + 4, 4) & (1 << 28)) !== 0,
    advancedFeaturesReset: advancedAt !== undefined && (read(advancedAt + 3, 1) & 2) !== 0,
    noSoftReset: powerAt === undefined ? null : (read(powerAt + 4, 2) & 8) !== 0,
    powerState: powerAt === undefined ? null : (powerStates[read(powerAt + 4, 2) & 3] ?? null),
    interrupts: readInterrupts(config, first),
    link: expressAt === undefined ? null : readLink(config, expressAt),
    serialNumber: readSerialNumber(config, extended.get(deviceSerialNumber.id)),
    accessControl: readAccessControl(config, extended.get(accessControlServices.id)),
    extendedCapabilities: [...extended.keys()].map(extendedName),
  };
}

function firstOfEach(config: Uint8Array): Map<number, number> {
  const offsets = new Map<number, number>();
  for (const { id, offset } of walkCapabilityChain(config).entries) if (!offsets.has(id)) offsets.set(id, offset);
  return offsets;
}

/** First offset of each extended capability. */
function extendedOffsets(config: Uint8Array): Map<number, number> {
  const offsets = new Map<number, number>();
  walkExtended(config, (id, offset) => {
    if (id !== 0 && !offsets.has(id)) offsets.set(id, offset);
  });
  return offsets;
}

/**
 * How far {@link readConfigFacts} looks into configuration space, as the first bytes of it tell: with more than these,
 * there may be more to look at.
 */
export function configFactsEnd(config: Uint8Array): number {
  return Math.min(
    walkExtended(config, () => undefined),
    configBytes,
  );
}

/** The walk of `decodeExtendedSpace`, without the decoding. @returns where what it needs ends */
function walkExtended(config: Uint8Array, visit: (id: number, offset: number) => void): number {
  let pointer = config.length > extendedStart ? extendedStart : 0;
  let end = pointer;
  for (let count = 0; pointer >= extendedStart && count < maxExtendedCapabilities; count += 1) {
    end = Math.max(end, pointer + extendedBytesRead);
    const header = readLittleEndian(config, pointer, 4);
    if (header === 0 || header === 0xffff_ffff) break;
    visit(header & 0xffff, pointer);
    pointer = (header >>> 20) & 0xffc;
  }
  return end;
}

function extendedName(id: number): string {
  const known = extendedCapabilities.find((candidate) => candidate.id === id);
  return known?.name ?? `Extended capability 0x${id.toString(16).padStart(4, '0')}`;
}

function readInterrupts(config: Uint8Array, first: ReadonlyMap<number, number>): FunctionInterrupts {
  const msiAt = first.get(msi.id);
  const msixAt = first.get(msiX.id);
  const control = msiAt === undefined ? 0 : readLittleEndian(config, msiAt + 2, 2);
  return {
    msi:
      msiAt === undefined
        ? null
        : {
            // PCI Local Bus 3.0 §6.8.1.3: codes above 5 are reserved.
            vectorCount: 1 << Math.min((control >>> 1) & 7, 5),
            maskable: (control & 0x100) !== 0,
            enabled: (control & 1) !== 0,
          },
    msix: msixAt === undefined ? null : readMsix(config, msixAt),
  };
}

function readMsix(config: Uint8Array, offset: number): MsixPlace {
  const control = readLittleEndian(config, offset + 2, 2);
  const table = readLittleEndian(config, offset + 4, 4);
  const pending = readLittleEndian(config, offset + 8, 4);
  const place: Omit<MsixPlace, 'sharesPage'> = {
    vectorCount: (control & 0x7ff) + 1,
    tableBarIndex: table & 7,
    tableOffset: (table & ~7) >>> 0,
    pbaBarIndex: pending & 7,
    pbaOffset: (pending & ~7) >>> 0,
    enabled: (control & 0x8000) !== 0,
  };
  return Object.assign(place, { sharesPage: sharesPage(place) });
}

/**
 * PCI Local Bus 3.0 §6.8.2 keeps other registers off the table's pages, so what follows the table up to the end of its
 * page is padding. A table that starts in the middle of a page, behind something that is not the pending bits, belongs
 * to a device that does not follow the rule.
 */
function sharesPage(place: Omit<MsixPlace, 'sharesPage'>): boolean {
  const before = place.tableOffset % pageBytes;
  const pageStart = place.tableOffset - before;
  if (before === 0) return false;
  if (place.pbaBarIndex !== place.tableBarIndex) return true;
  const pbaEnd = place.pbaOffset + Math.ceil(place.vectorCount / 64) * 8;
  const covered = Math.min(pbaEnd, place.tableOffset) - Math.max(place.pbaOffset, pageStart);
  return Math.max(0, covered) < before;
}

function readLink(config: Uint8Array, expressAt: number): LinkState | null {
  const type = (readLittleEndian(config, expressAt + 2, 2) >>> 4) & 0xf;
  // §7.5.3: what is inside the root complex has no link, and its registers read 0.
  if (type === 9 || type === 10) return null;
  const capability = readLittleEndian(config, expressAt + 0x0c, 4);
  const status = readLittleEndian(config, expressAt + 0x12, 2);
  if (capability === 0 || capability === 0xffff_ffff) return null;
  return {
    speed: gigatransfers[status & 0xf] ?? 0,
    width: (status >>> 4) & 0x3f,
    maxSpeed: gigatransfers[capability & 0xf] ?? 0,
    maxWidth: (capability >>> 4) & 0x3f,
  };
}

function readSerialNumber(config: Uint8Array, offset: number | undefined): string | null {
  if (offset === undefined || offset + 12 > config.length) return null;
  const words = [readLittleEndian(config, offset + 8, 4), readLittleEndian(config, offset + 4, 4)];
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}

function readAccessControl(config: Uint8Array, offset: number | undefined): ConfigFacts['accessControl'] {
  if (offset === undefined || offset + 8 > config.length) return null;
  return {
    capability: readLittleEndian(config, offset + 4, 2),
    control: readLittleEndian(config, offset + 6, 2),
  };
}
