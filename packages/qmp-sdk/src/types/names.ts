import { type NameLock, readNameLock } from '../schema/names.js';
import { lockText } from './names.generated.js';

/**
 * What this package calls the types of QEMU, by how they are reached. Give it to `generateTypes` and the types of your
 * QEMU have the names that ours have: `generateTypes(schema, { lock: knownNames() })`.
 */
export function knownNames(): NameLock {
  return readNameLock(lockText);
}
