import type { Store, StorePermission, StoreView, XenHost } from './host.js';

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

  /** The lines for xenstore that `work` would write. */
  writes(work: (store: Store) => void): string[] {
    const before = this.store.writes.length;
    work(this.store);
    return this.store.writes.slice(before);
  }
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
