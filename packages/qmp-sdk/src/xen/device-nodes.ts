import { formatSbdf, parseSbdf, type Sbdf } from '@xenpt/pci';
import type { EffectiveOptions } from './attach-options.js';
import type { Store, StoreView } from './host.js';
import { removeIfEmpty } from './in-use.js';
import { storePath } from './paths.js';

/** XenbusState (xen/include/public/io/xenbus.h). */
const Xenbus = { initialising: '1', closing: '5', reconfiguring: '7' } as const;

/** More devices than a guest's bus 0 has functions cannot be listed honestly. */
const MAX_DEVICES = 256;

/** The nodes of one device below the backend directory; libxl moves exactly these when it closes a gap. */
const NODES_OF_DEVICE = ['key', 'dev', 'vdevfn', 'opts', 'state', 'name', 'vdev'] as const;

/** What libxl writes for a device, and reads back for `xl pci-list` and at a restart. */
function formatOptions({ permissive, rdmPolicy }: PublishedOptions): string {
  return `msitranslate=0,power_mgmt=0,permissive=${permissive ? 1 : 0},rdm_policy=${rdmPolicy}`;
}

export type PublishedOptions = Pick<EffectiveOptions, 'permissive' | 'rdmPolicy'>;

export interface PublishedDevice {
  readonly sbdf: Sbdf;
  /** Guest devfn, if the publisher knew it. */
  readonly guestDevfn: number | undefined;
  /** As far as the publisher said. */
  readonly options: PublishedOptions;
}

/** What `xl pci-list DOMAIN` shows. Entries that are not a device are left out. */
export function readPublishedDevices(view: StoreView, domid: number): PublishedDevice[] {
  const backend = storePath.backend(domid);
  const devices: PublishedDevice[] = [];
  for (let index = 0; index < deviceCount(view, backend); index++) {
    const sbdf = parseStored(view.read(`${backend}/dev-${index}`));
    const vdevfn = view.read(`${backend}/vdevfn-${index}`);
    if (!sbdf) continue;
    devices.push({
      sbdf,
      guestDevfn: vdevfn !== null && /^[0-9a-f]{1,2}$/i.test(vdevfn) ? parseInt(vdevfn, 16) : undefined,
      options: parseOptions(view.read(`${backend}/opts-${index}`) ?? ''),
    });
  }
  return devices;
}

function parseOptions(text: string): PublishedOptions {
  const given = text.split(',');
  return {
    permissive: given.includes('permissive=1'),
    rdmPolicy: given.includes('rdm_policy=relaxed') ? 'relaxed' : 'strict',
  };
}

/**
 * Publishes a device as libxl does for one that it attached, all in one transaction, permissions included: the
 * backend directory is dom0's and readable by the guest, the frontend directory the other way round.
 */
export function publishDevice(
  store: Store,
  domid: number,
  { sbdf, guestDevfn, options }: { sbdf: Sbdf; guestDevfn: number; options: PublishedOptions },
): void {
  const backend = storePath.backend(domid);
  store.transaction((view) => {
    const count = view.read(`${backend}/num_devs`) === null ? undefined : deviceCount(view, backend);
    if (count === undefined) createPair(view, domid);
    const index = count ?? 0;
    const address = formatSbdf(sbdf);
    view.write(`${backend}/key-${index}`, address);
    view.write(`${backend}/dev-${index}`, address);
    view.write(`${backend}/vdevfn-${index}`, guestDevfn.toString(16));
    view.write(`${backend}/opts-${index}`, formatOptions(options));
    view.write(`${backend}/state-${index}`, Xenbus.initialising);
    view.write(`${backend}/num_devs`, String(index + 1));
    if (index > 0) view.write(`${backend}/state`, Xenbus.reconfiguring);
  });
}

/**
 * Takes a device out of the list and closes the gap, as libxl does; the last one takes the whole pair of directories
 * with it.
 *
 * @returns whether it was the last one. Not listed: nothing is done, false.
 */
export function withdrawDevice(store: Store, domid: number, sbdf: Sbdf): boolean {
  const backend = storePath.backend(domid);
  // The kernel's xen-pciback looks at the states, so it learns of the removal before the nodes are gone.
  const listed = store.transaction((view) => {
    const index = findDevice(view, backend, sbdf);
    if (index === undefined) return false;
    view.write(`${backend}/state-${index}`, Xenbus.closing);
    view.write(`${backend}/state`, Xenbus.reconfiguring);
    return true;
  });
  if (!listed) return false;
  return store.transaction((view) => {
    const index = findDevice(view, backend, sbdf);
    if (index === undefined) return false;
    const count = deviceCount(view, backend);
    if (count === 1) {
      removePair(view, domid);
      return true;
    }
    for (let to = index; to < count; to++) moveDevice(view, backend, to + 1, to);
    view.write(`${backend}/num_devs`, String(count - 1));
    return false;
  });
}

function createPair(view: StoreView, domid: number): void {
  const backend = storePath.backend(domid);
  const frontend = storePath.frontend(domid);
  view.remove(backend);
  view.mkdir(backend);
  view.setPermissions(backend, [
    { domid: 0, read: false, write: false },
    { domid, read: true, write: false },
  ]);
  view.write(`${backend}/frontend`, frontend);
  view.write(`${backend}/frontend-id`, String(domid));
  view.write(`${backend}/online`, '1');
  view.write(`${backend}/state`, Xenbus.initialising);
  view.write(`${backend}/domain`, view.read(storePath.domainName(domid)) ?? String(domid));
  view.remove(frontend);
  view.mkdir(frontend);
  view.setPermissions(frontend, [
    { domid, read: false, write: false },
    { domid: 0, read: true, write: false },
  ]);
  view.write(`${frontend}/backend`, backend);
  view.write(`${frontend}/backend-id`, '0');
  view.write(`${frontend}/state`, Xenbus.initialising);
}

function removePair(view: StoreView, domid: number): void {
  view.remove(storePath.backend(domid));
  removeIfEmpty(view, storePath.backends(domid));
  removeIfEmpty(view, storePath.allBackends);
  view.remove(storePath.frontend(domid));
  removeIfEmpty(view, storePath.frontends(domid));
}

/** Copies the nodes of entry `from` over those of entry `to`; an entry without a node removes the other's. */
function moveDevice(view: StoreView, backend: string, from: number, to: number): void {
  for (const node of NODES_OF_DEVICE) {
    const value = view.read(`${backend}/${node}-${from}`);
    if (value === null) view.remove(`${backend}/${node}-${to}`);
    else view.write(`${backend}/${node}-${to}`, value);
  }
}

function findDevice(view: StoreView, backend: string, sbdf: Sbdf): number | undefined {
  const wanted = formatSbdf(sbdf);
  for (let index = 0; index < deviceCount(view, backend); index++) {
    const listed = parseStored(view.read(`${backend}/dev-${index}`));
    if (listed && formatSbdf(listed) === wanted) return index;
  }
  return undefined;
}

function deviceCount(view: StoreView, backend: string): number {
  const text = view.read(`${backend}/num_devs`);
  return text !== null && /^[0-9]{1,3}$/.test(text) ? Math.min(Number(text), MAX_DEVICES) : 0;
}

function parseStored(text: string | null): Sbdf | undefined {
  try {
    return text === null ? undefined : parseSbdf(text);
  } catch {
    return undefined;
  }
}
