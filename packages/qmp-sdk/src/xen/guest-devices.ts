import { formatSbdf } from '@xenpt/pci';
import { type BlockDevice, listBlockDevices } from '../helpers/block.js';
import { type DisplayServer, listDisplayServers } from '../helpers/display.js';
import { listNetworkDevices, type NetworkDevice } from '../helpers/net.js';
import { type GuestPciFunction, listPciFunctions } from '../helpers/pci.js';
import { type PublishedOptions, readPublishedDevices } from './device-nodes.js';
import { findDomain } from './domains.js';
import { describeError, XenErrorCode, XenOperationError } from './errors.js';
import { readGrants } from './grants.js';
import { listFrontends, type ParavirtualDevice } from './guest-devices-store.js';
import type { XenHost } from './host.js';
import { stoppedModels } from './model-state.js';
import { qemuDeviceId } from './qemu-model.js';
import { type GuestQmpOptions, withGuestQmp } from './qmp.js';
import { restartNotes } from './recover-restarts.js';

/** Base class of PCI's display controllers, and the subclass of its Ethernet controllers, in 16 bits. */
const DISPLAY_CLASS = 0x03;

export interface GuestDisk {
  /**
   * `emulated`: on QEMU's IDE or SCSI bus; `paravirtual`: by xen-blkfront. One disk of an HVM guest is often both.
   */
  readonly kind: 'emulated' | 'paravirtual';
  /** `xvda`, `hda`; QEMU's name of an emulated one. */
  readonly name: string;
  /** '' for an empty drive. */
  readonly source: string;
  readonly format: string;
  /** null where nobody says. */
  readonly sizeBytes: number | null;
  readonly readOnly: boolean;
  readonly cdrom: boolean;
  /** Whether the guest's driver uses it; null for an emulated one. */
  readonly connected: boolean | null;
}

export interface GuestNic {
  readonly kind: 'emulated' | 'paravirtual';
  /** `vif 0`, or the id of an emulated one. */
  readonly name: string;
  readonly model: string;
  readonly mac: string;
  /** The bridge or QEMU's backend. */
  readonly network: string;
  readonly connected: boolean | null;
}

export interface GuestDisplay {
  readonly kind: 'emulated' | 'paravirtual' | 'vnc' | 'spice';
  /** An adapter's place on the guest's bus, or where a server listens. */
  readonly name: string;
  readonly details: string;
}

export interface PassedThroughFunction {
  readonly sbdf: string;
  /** Where the guest sees it; null if nobody noted it. */
  readonly guestSbdf: string | null;
  /** Who answers for its registers. */
  readonly model: 'qemu' | 'xenpt' | 'pciback';
  /** Of xl-pci-configuration(5), as whoever attached it says. */
  readonly options: PublishedOptions;
}

/** All devices of a guest. Texts are fit for a terminal. */
export interface GuestDevices {
  readonly domid: number;
  readonly domainName: string;
  readonly domainType: string;
  readonly disks: readonly GuestDisk[];
  readonly nics: readonly GuestNic[];
  readonly displays: readonly GuestDisplay[];
  readonly passedThrough: readonly PassedThroughFunction[];
  /** What could not be found out. */
  readonly notes: readonly string[];
}

interface EmulatedDevices {
  readonly blocks: readonly BlockDevice[];
  readonly cards: readonly NetworkDevice[];
  readonly servers: readonly DisplayServer[];
  readonly functions: readonly GuestPciFunction[];
}

/**
 * What a guest has: emulated devices from its QEMU, paravirtual ones from xenstore, and functions passed through. A
 * QEMU that does not answer leaves its part out, with a note.
 *
 * @param domain id or name, as in `xl list`.
 * @throws XenOperationError XENPT_NO_SUCH_DOMAIN, XENPT_NOT_ROOT, XENPT_NO_XEN
 */
export async function listGuestDevices(
  host: XenHost,
  domain: string,
  options: GuestQmpOptions = {},
): Promise<GuestDevices> {
  const { domid, name, type, info } = findDomain(host, domain);
  const notes = [...stoppedModels(host, domid), ...restartNotes(host, info.handle)];
  const emulated = await askQemu(host, String(domid), options, notes);
  const disks = listFrontends(host.store, domid, 'vbd');
  const nics = listFrontends(host.store, domid, 'vif');
  const framebuffers = listFrontends(host.store, domid, 'vfb');
  const devices: GuestDevices = {
    domid,
    domainName: name,
    domainType: type,
    disks: [...(emulated?.blocks ?? []).filter(isDrive).map(emulatedDisk), ...disks.map(paravirtualDisk)],
    nics: [...(emulated?.cards ?? []).map(emulatedNic), ...nics.map(paravirtualNic)],
    displays: [...(emulated ? emulatedDisplays(emulated) : []), ...framebuffers.map(paravirtualDisplay)],
    passedThrough: listPassedThrough(host, { domid, type, handle: info.handle }, emulated?.functions),
    notes,
  };
  return printable(devices);
}

async function askQemu(
  host: XenHost,
  domid: string,
  options: GuestQmpOptions,
  notes: string[],
): Promise<EmulatedDevices | undefined> {
  try {
    return await withGuestQmp(
      host,
      domid,
      async (client) => {
        const [blocks, cards, servers, functions] = await Promise.all([
          listBlockDevices(client),
          listNetworkDevices(client),
          listDisplayServers(client),
          listPciFunctions(client),
        ]);
        return { blocks, cards, servers, functions };
      },
      options,
    );
  } catch (error) {
    const code = error instanceof XenOperationError ? error.code : undefined;
    if (code === XenErrorCode.notRoot || code === XenErrorCode.noSuchDomain || options.signal?.aborted) throw error;
    if (code !== XenErrorCode.noMonitor) notes.push(`What QEMU emulates is not known: ${describeError(error)}`);
    return undefined;
  }
}

/** libxl gives some of its drives no device; those without a medium are nothing to a guest. */
function isDrive({ device, medium, name }: BlockDevice): boolean {
  return medium !== undefined || device !== undefined || name !== '';
}

function emulatedDisk({ name, device = '', removable, medium }: BlockDevice): GuestDisk {
  return {
    kind: 'emulated',
    name: name === '' ? (device.split('/').at(-1) ?? '') : name,
    source: medium?.source ?? '',
    format: medium?.format ?? '',
    sizeBytes: medium?.sizeBytes ?? null,
    readOnly: medium?.readOnly ?? true,
    cdrom: removable,
    connected: null,
  };
}

function paravirtualDisk({ id, connected, node }: ParavirtualDevice): GuestDisk {
  const params = node('params') ?? '';
  // `qdisk:/images/one.qcow2` with the format in front, `/dev/vg/one` for a block device.
  const [, prefix = '', rest = params] = /^([a-z0-9]+):(.*)$/s.exec(params) ?? [];
  return {
    kind: 'paravirtual',
    name: node('dev') ?? `vbd ${id}`,
    source: rest,
    format: prefix === '' ? (node('type') ?? '') : prefix,
    sizeBytes: null,
    readOnly: node('mode') === 'r',
    cdrom: node('device-type') === 'cdrom',
    connected,
  };
}

function emulatedNic({ id, path, driver, mac, backend }: NetworkDevice): GuestNic {
  const name = id === '' ? (path.split('/').at(-1) ?? '') : id;
  return { kind: 'emulated', name, model: driver, mac, network: backend, connected: null };
}

function paravirtualNic({ id, connected, node }: ParavirtualDevice): GuestNic {
  const network = node('bridge') ?? '';
  return { kind: 'paravirtual', name: `vif ${id}`, model: 'netfront', mac: node('mac') ?? '', network, connected };
}

function emulatedDisplays({ functions, servers }: EmulatedDevices): GuestDisplay[] {
  const adapters = functions.filter(({ classCode }) => classCode >> 8 === DISPLAY_CLASS);
  return [
    ...adapters.map(({ bus, slot, function: number, vendorId, deviceId, id }): GuestDisplay => {
      const ids = [vendorId, deviceId].map((value) => value.toString(16).padStart(4, '0')).join(':');
      const name = formatSbdf({ segment: 0, bus, device: slot, function: number });
      return { kind: 'emulated', name, details: id === '' ? ids : `${ids} ${id}` };
    }),
    ...servers.map(({ protocol, host, service, authentication, clients }): GuestDisplay => {
      const details = `authentication ${authentication}, ${clients} connected`;
      return { kind: protocol, name: host === '' ? service : `${host}:${service}`, details };
    }),
  ];
}

function paravirtualDisplay({ id, connected }: ParavirtualDevice): GuestDisplay {
  return { kind: 'paravirtual', name: `vfb ${id}`, details: connected ? 'connected' : 'not connected' };
}

/** QEMU knows the functions that libxl had it attach by the ids that libxl gives them: `pci-pt-03_00.0`. */
function listPassedThrough(
  host: XenHost,
  { domid, type, handle }: { readonly domid: number; readonly type: string; readonly handle: string },
  functions: readonly GuestPciFunction[] | undefined,
): PassedThroughFunction[] {
  // For a QEMU that does not answer.
  const file = readGrants(host.runDir, domid);
  const records = file?.handle === handle ? file.devices : [];
  const recorded = new Set(records.flatMap(({ sbdf, model }) => (model === 'qemu' ? [sbdf] : [])));
  return readPublishedDevices(host.store, domid).map(({ sbdf, guestDevfn, options }) => {
    const byQemu = functions?.some(({ id }) => id === qemuDeviceId(sbdf)) ?? recorded.has(formatSbdf(sbdf));
    return {
      sbdf: formatSbdf(sbdf),
      guestSbdf:
        guestDevfn === undefined
          ? null
          : formatSbdf({ segment: 0, bus: 0, device: guestDevfn >> 3, function: guestDevfn & 7 }),
      options,
      model: type !== 'hvm' ? 'pciback' : byQemu ? 'qemu' : 'xenpt',
    };
  });
}

/** A guest writes some of these texts, and QEMU others: nothing in them reaches a terminal as an order. */
function printable<T>(value: T): T {
  if (typeof value === 'string') return value.replace(/\p{C}/gu, '?') as T;
  if (Array.isArray(value)) return value.map(printable) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, printable(member as unknown)])) as T;
}
