import { formatSbdf, numberToSbdf, type Sbdf } from '@xenpt/pci';
import {
  DOMID_IO,
  type Store,
  type StorePermission,
  type StoreView,
  type Sysfs,
  type Toolstack,
  type XenHost,
} from './host.js';
import { rehearsedDevice, type TransactedDevice, writtenConfig, writtenText } from './journal-device.js';
import { sysfsPath } from './paths.js';

/** What several dry runs in a row need to know of each other: the second device gets the second slot. */
export class Rehearsal {
  readonly store: RehearsedStore;
  /** Domains that would have a device model by then. */
  readonly models = new Set<number>();
  /** Addresses that would be detached by then. */
  readonly detached = new Set<string>();

  constructor(host: Pick<XenHost, 'store'>) {
    this.store = new RehearsedStore(host);
  }

  /** The calls of Xen for devices, as lines. */
  readonly toolstack: Pick<Toolstack, 'assignDevice' | 'deassignDevice'> = {
    assignDevice: (domid, sbdf) => this.note(`xc_assign_device ${namedDomain(domid)} ${addressOf(sbdf)}`),
    deassignDevice: (domid, sbdf) => this.note(`xc_deassign_device ${namedDomain(domid)} ${addressOf(sbdf)}`),
  };

  /** What is written to the kernel, as lines. */
  sysfs(real: Sysfs): Sysfs {
    return {
      root: real.root,
      readRom: (sbdf) => real.readRom(sbdf),
      write: (path, text) => this.note(writtenText(path, text)),
      reset: (sbdf) => this.note(`"1" > ${sysfsPath.device(sbdf)}/reset`),
      disableBusMaster: (sbdf) => this.note(`Bus Master Enable = 0 > ${sysfsPath.device(sbdf)}/config at 0x4`),
      writeConfig: (sbdf, offset, value) => this.note(writtenConfig(sbdf, offset, value)),
    };
  }

  /** One function on its way from driver to driver. */
  device(sysfs: Sysfs, sbdf: Sbdf): TransactedDevice {
    return rehearsedDevice(sysfs, sbdf, this.store.writes);
  }

  note(line: string): void {
    this.store.writes.push(line);
  }

  /** The lines of what `work` would write. */
  writes(work: (store: Store) => void): string[] {
    const before = this.store.writes.length;
    work(this.store);
    return this.store.writes.slice(before);
  }
}

function namedDomain(domid: number): string {
  return domid === DOMID_IO ? `domain ${domid} (quarantine)` : `domain ${domid}`;
}

function addressOf(sbdf: number): string {
  return formatSbdf(numberToSbdf(sbdf));
}

/** xenstore as it would be: what is written here is read here, and stands nowhere else. */
class RehearsedStore implements Store {
  readonly #host: Pick<XenHost, 'store'>;
  readonly #written = new Map<string, string>();
  /** With all that the real one has below. */
  readonly #removed = new Set<string>();
  readonly writes: string[] = [];

  constructor(host: Pick<XenHost, 'store'>) {
    this.#host = host;
  }

  read(path: string): string | null {
    const real = this.#isRemoved(path) ? null : this.#host.store.read(path);
    return this.#written.get(path) ?? real;
  }

  write(path: string, value: string): void {
    this.writes.push(`xenstore ${path} = "${value}"`);
    // The nodes above come with it, and stay when it goes.
    for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
      const above = path.slice(0, end);
      if (this.read(above) === null) this.#written.set(above, '');
    }
    this.#written.set(path, value);
  }

  mkdir(path: string): void {
    if (this.read(path) === null) this.write(path, '');
  }

  remove(path: string): void {
    if (this.read(path) === null) return;
    this.writes.push(`xenstore-rm ${path}`);
    for (const below of [path, ...this.#writtenBelow(path)]) this.#written.delete(below);
    this.#removed.add(path);
  }

  list(path: string): readonly string[] | null {
    if (this.read(path) === null) return null;
    const real = this.#isRemoved(path) ? [] : (this.#host.store.list(path) ?? []);
    const kept = real.filter((name) => !this.#isRemoved(`${path}/${name}`));
    const written = this.#writtenBelow(path).map((below) => below.slice(path.length + 1).split('/')[0] ?? '');
    return [...new Set([...kept, ...written])];
  }

  setPermissions(path: string, permissions: readonly StorePermission[]): void {
    const letter = ({ read, write }: StorePermission) => (read ? (write ? 'b' : 'r') : write ? 'w' : 'n');
    const words = permissions.map((permission) => `${letter(permission)}${permission.domid}`);
    this.writes.push(`xenstore-chmod ${path} ${words.join(' ')}`);
  }

  transaction<T>(work: (view: StoreView) => T): T {
    return work(this);
  }

  watch(path: string, token: string, callback: () => void): { close(): void } {
    return this.#host.store.watch(path, token, callback);
  }

  #writtenBelow(path: string): string[] {
    return [...this.#written.keys()].filter((written) => written.startsWith(`${path}/`));
  }

  /** The node itself, or one above it. */
  #isRemoved(path: string): boolean {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (this.#removed.has(path.slice(0, end))) return true;
    }
    return false;
  }
}
