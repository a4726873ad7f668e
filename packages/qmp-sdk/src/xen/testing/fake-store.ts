import type { Store, StorePermission, StoreView } from '../host.js';
import type { Journal } from './journal.js';

interface Node {
  readonly value: string;
  readonly permissions?: readonly StorePermission[];
}

/** xenstore in memory: implicit parents, recursive removal, transactions that commit all or nothing. */
export class FakeStore implements Store {
  #nodes = new Map<string, Node>();
  readonly #journal: Journal;
  readonly #watches = new Set<{ path: string; callback: () => void }>();
  /** How many of the next commits meet a conflict and are run again. */
  conflicts = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  read(path: string): string | null {
    this.#journal.enter('xs_read', path);
    return this.#nodes.get(path)?.value ?? null;
  }

  write(path: string, value: string): void {
    this.#journal.enter('xs_write', path, value);
    this.#set(path, value);
  }

  mkdir(path: string): void {
    this.#journal.enter('xs_mkdir', path);
    if (!this.#nodes.has(path)) this.#set(path, '');
  }

  remove(path: string): void {
    this.#journal.enter('xs_rm', path);
    for (const name of [...this.#nodes.keys()]) {
      if (name === path || name.startsWith(`${path}/`)) this.#nodes.delete(name);
    }
  }

  list(path: string): string[] | null {
    this.#journal.enter('xs_directory', path);
    if (!this.#nodes.has(path)) return null;
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.#nodes.keys()]
      .filter((name) => name.startsWith(prefix) && name !== path && !name.slice(prefix.length).includes('/'))
      .map((name) => name.slice(prefix.length));
  }

  setPermissions(path: string, permissions: readonly StorePermission[]): void {
    this.#journal.enter('xs_set_permissions', path);
    this.#nodes.set(path, { value: this.#nodes.get(path)?.value ?? '', permissions });
  }

  transaction<T>(work: (view: StoreView) => T): T {
    for (;;) {
      const before = new Map(this.#nodes);
      try {
        const result = work(this);
        this.#journal.enter('xs_transaction_end');
        if (this.conflicts === 0) return result;
        this.conflicts--;
        this.#nodes = before;
      } catch (error) {
        this.#nodes = before;
        throw error;
      }
    }
  }

  watch(path: string, _token: string, callback: () => void): { close(): void } {
    this.#journal.enter('xs_watch', path);
    const watch = { path, callback };
    this.#watches.add(watch);
    return { close: () => void this.#watches.delete(watch) };
  }

  /** Fires the watches of one path, such as `@releaseDomain`. */
  fire(path: string): void {
    for (const watch of this.#watches) if (watch.path === path) watch.callback();
  }

  /** Sets nodes without a trace in the journal, as another tool would. */
  seed(nodes: Readonly<Record<string, string>>): void {
    for (const [path, value] of Object.entries(nodes)) this.#set(path, value);
  }

  /** `path = "value"`, with permissions where they were set; in order of path. */
  dump(): string[] {
    return [...this.#nodes]
      .map(([path, { value, permissions }]) => `${path} = "${value}"${formatPermissions(permissions)}`)
      .sort();
  }

  #set(path: string, value: string): void {
    const permissions = this.#nodes.get(path)?.permissions;
    this.#nodes.set(path, permissions ? { value, permissions } : { value });
    for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) {
      if (!this.#nodes.has(parent)) this.#nodes.set(parent, { value: '' });
    }
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** `(n0,r5)`: as xenstore-ls -p shows it. */
function formatPermissions(permissions: readonly StorePermission[] | undefined): string {
  if (!permissions) return '';
  const letter = ({ read, write }: StorePermission) => (read ? (write ? 'b' : 'r') : write ? 'w' : 'n');
  return `   (${permissions.map((permission) => `${letter(permission)}${permission.domid}`).join(',')})`;
}
