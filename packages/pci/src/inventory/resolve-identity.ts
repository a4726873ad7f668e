import type { FunctionIdentity } from './function-record.js';
import { compareIdentities, type IdentityDifference } from './identity.js';

/** Where a card that was recorded is now. */
export type Resolution =
  | { readonly kind: 'found'; readonly address: string }
  /** Its place holds another card. */
  | { readonly kind: 'changed'; readonly address: string; readonly differences: readonly IdentityDifference[] }
  /** Its place is empty; the same card may be elsewhere. */
  | { readonly kind: 'absent'; readonly elsewhere: readonly string[] };

interface Identified {
  readonly address: string;
  readonly identity: FunctionIdentity;
}

/** By the place first: of two equal cards only that tells which one was meant. The address plays no part. */
export function resolveIdentity(recorded: FunctionIdentity, functions: readonly Identified[]): Resolution {
  const there = functions.find(({ identity }) => identity.path === recorded.path);
  if (there === undefined) {
    const same = functions.filter(
      ({ identity }) =>
        compareIdentities({ ...recorded, path: identity.path, slotLabel: null }, identity).length === 0,
    );
    return { kind: 'absent', elsewhere: same.map(({ address }) => address) };
  }
  const { address, identity } = there;
  const differences = compareIdentities(recorded, identity);
  return differences.length === 0 ? { kind: 'found', address } : { kind: 'changed', address, differences };
}
