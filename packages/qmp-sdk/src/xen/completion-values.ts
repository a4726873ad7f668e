import { formatSbdf } from '@xenpt/pci';
import { listFunctions } from '@xenpt/pci/sysfs';
import { domainName } from './domains.js';
import type { Store, Sysfs } from './host.js';
import { sysfsOptions } from './pciback.js';

const BRIDGE_CLASS = 0x06;

export interface CompletionValues {
  readonly functions: readonly {
    readonly address: string;
    readonly name: string;
    readonly onPciback: boolean;
    readonly isBridge: boolean;
  }[];
  /** Empty without Xen, or without the right to ask xenstore. */
  readonly domains: readonly { readonly domid: number; readonly name: string }[];
}

/** Addresses and names for a shell that completes a word: what a person could mean, asked for lazily and cheaply. */
export function completionValues(host: { readonly sysfs: Sysfs; readonly store: Store }): CompletionValues {
  return {
    get functions() {
      return listFunctions(sysfsOptions(host.sysfs)).map((summary) => ({
        address: formatSbdf(summary.sbdf),
        name: [summary.className, summary.vendorName, summary.deviceName].filter(Boolean).join(' '),
        onPciback: summary.driver === 'pciback',
        isBridge: summary.classCode >>> 16 === BRIDGE_CLASS,
      }));
    },
    get domains() {
      return (host.store.list('/local/domain') ?? [])
        .filter((id) => /^[1-9][0-9]*$/.test(id))
        .map((id) => ({ domid: Number(id), name: domainName(host.store, Number(id)) }));
    },
  };
}
