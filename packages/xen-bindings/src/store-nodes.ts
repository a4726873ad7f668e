import { requireDomid } from './arguments.js';
import { calling } from './errors.js';
import type { NativeXenstore } from './native-types.js';

/** Limits of xen/include/public/io/xs_wire.h, in bytes. */
export const STORE_ABSOLUTE_PATH_MAX_BYTES = 3072;
export const STORE_RELATIVE_PATH_MAX_BYTES = 2048;
export const STORE_PAYLOAD_MAX_BYTES = 4096; // of a write: path, its terminator and the value

/** Who may do what with a node. In a list the first one is the owner, and its rights are those of everybody else. */
export interface StorePermission {
  readonly domid: number;
  readonly read: boolean;
  readonly write: boolean;
}

const PERMISSION_READ = 1; // XS_PERM_READ
const PERMISSION_WRITE = 2; // XS_PERM_WRITE

/**
 * Nodes of the xenstore, inside or outside of a transaction. Paths: letters, digits and `-/_@`; relative ones count
 * from the domain's home. Values: text in UTF-8.
 */
export class StoreNodes {
  readonly #native: NativeXenstore;
  readonly #transaction: number;

  /** Use `Xenstore`. */
  constructor(native: NativeXenstore, transaction: number) {
    this.#native = native;
    this.#transaction = transaction;
  }

  /** Null when there is no such node. */
  read(path: string): string | null {
    requirePath(path);
    return calling(() => this.#native.xs_read(this.#transaction, path));
  }

  /**
   * Creates the node and its parents where they are missing. @throws RangeError when path and value exceed 4096
   * bytes.
   */
  write(path: string, value: string): void {
    requirePath(path);
    if (typeof value !== 'string') throw new TypeError(`value must be a string, not ${typeof value}`);
    const sizeBytes = path.length + 1 + Buffer.byteLength(value);
    if (sizeBytes > STORE_PAYLOAD_MAX_BYTES) {
      throw new RangeError(
        `path and value of ${path} have ${sizeBytes} bytes; the limit is ${STORE_PAYLOAD_MAX_BYTES}`,
      );
    }
    calling(() => this.#native.xs_write(this.#transaction, path, value));
  }

  /** Creates an empty node; nothing happens when it is there. */
  mkdir(path: string): void {
    requirePath(path);
    calling(() => this.#native.xs_mkdir(this.#transaction, path));
  }

  /** Removes the node and all below it. False when there was none. */
  remove(path: string): boolean {
    requirePath(path);
    return calling(() => this.#native.xs_rm(this.#transaction, path));
  }

  /** Names of the children; null when there is no such node. */
  list(path: string): string[] | null {
    requirePath(path);
    return calling(() => this.#native.xs_directory(this.#transaction, path));
  }

  /** Null when there is no such node. */
  getPermissions(path: string): StorePermission[] | null {
    requirePath(path);
    const words = calling(() => this.#native.xs_get_permissions(this.#transaction, path));
    return words === null ? null : decodePermissions(words);
  }

  /** @throws RangeError for an empty list. */
  setPermissions(path: string, permissions: readonly StorePermission[]): void {
    requirePath(path);
    if (permissions.length === 0) throw new RangeError('permissions: at least the owner must be named');
    const words = Uint32Array.from(
      permissions.flatMap(({ domid, read, write }) => [
        requireDomid(domid),
        (read ? PERMISSION_READ : 0) | (write ? PERMISSION_WRITE : 0),
      ]),
    );
    calling(() => this.#native.xs_set_permissions(this.#transaction, path, words));
  }
}

function decodePermissions(words: readonly number[]): StorePermission[] {
  const permissions: StorePermission[] = [];
  for (let index = 0; index + 1 < words.length; index += 2) {
    const [domid = 0, bits = 0] = words.slice(index, index + 2);
    permissions.push({ domid, read: (bits & PERMISSION_READ) !== 0, write: (bits & PERMISSION_WRITE) !== 0 });
  }
  return permissions;
}

/** A path, or a special one that begins with "@". @throws TypeError, RangeError */
export function requirePath(path: string): string {
  if (typeof path !== 'string') throw new TypeError(`path must be a string, not ${typeof path}`);
  if (!/^[A-Za-z0-9/_@-]+$/.test(path)) {
    throw new RangeError(`path ${JSON.stringify(path)}: xenstore allows letters, digits and the characters - / _ @`);
  }
  const limit = path.startsWith('/') ? STORE_ABSOLUTE_PATH_MAX_BYTES : STORE_RELATIVE_PATH_MAX_BYTES;
  if (path.length > limit) throw new RangeError(`path has ${path.length} bytes; xenstore allows ${limit}`);
  return path;
}
