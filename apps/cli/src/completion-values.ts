import { completionValues, devicesOfGuestConfig, readJournal, type XenHost } from '@xenpt/qmp-sdk/xen';
import type { Candidate, LiveValues } from './completion.js';

/** What a host has at the moment; what cannot be found out, for want of rights or of Xen, is left out. */
export function liveValues(host: XenHost): LiveValues {
  return {
    functions: ({ assignable }) =>
      orNone(() =>
        completionValues(host)
          .functions.filter(({ onPciback, isBridge }) => {
            if (assignable === undefined) return true;
            return assignable ? onPciback : !onPciback && !isBridge;
          })
          .map(({ address, name }) => ({ word: address, description: name })),
      ),
    domains: () =>
      orNone(() =>
        completionValues(host).domains.map(({ name, domid }) => ({ word: name, description: `domain ${domid}` })),
      ),
    transactions: () =>
      orNone(() =>
        readJournal(host)
          .records.toReversed()
          .map(({ id, kind, sbdf }) => ({ word: String(Number(id)), description: `${kind} ${sbdf}` })),
      ),
    configured: (file) => devicesOfGuestConfig(file).map((word) => ({ word, description: '' })),
  };
}

/** A shell that completes must not show an error in the middle of a line. */
function orNone(read: () => readonly Candidate[]): readonly Candidate[] {
  try {
    return read();
  } catch {
    return [];
  }
}
