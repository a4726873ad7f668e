import { XenErrorCode, XenOperationError } from './errors.js';
import type { DomainInfo, Store, Toolstack } from './host.js';
import { storePath } from './paths.js';

/** DOMID_FIRST_RESERVED (xen/include/public/xen.h): ids from here on are not guests. */
const FIRST_RESERVED_DOMID = 0x7ff0;

export interface Domain {
  readonly domid: number;
  readonly name: string;
  readonly info: DomainInfo;
  /** `hvm`, `pvh` or `pv`: libxl's word where it left one, else what Xen says. */
  readonly type: string;
}

/**
 * Finds a domain by id (all digits) or by name, as xl does.
 *
 * @throws XenOperationError XENPT_NO_SUCH_DOMAIN
 */
export function findDomain(host: { readonly toolstack: Toolstack; readonly store: Store }, text: string): Domain {
  const { toolstack, store } = host;
  const info = /^[0-9]+$/.test(text)
    ? byId(toolstack, Number(text))
    : toolstack.domainList().find(({ domid }) => store.read(storePath.domainName(domid)) === text);
  if (!info) {
    throw new XenOperationError(XenErrorCode.noSuchDomain, `there is no domain "${text}"`, {
      next: 'See `xl list` for the ids and names.',
    });
  }
  const { domid, flags } = info;
  if (flags.dying) {
    throw new XenOperationError(XenErrorCode.noSuchDomain, `domain ${domid} is being destroyed`, {
      next: 'Wait until `xl list` no longer shows it, then start it again.',
    });
  }
  const type = store.read(storePath.domainType(domid)) ?? (flags.hvm ? 'hvm' : 'pv');
  return { domid, name: domainName(store, domid), info, type };
}

/** The name of a domain, or `domain 7` if it has none. Fit for a terminal, whatever somebody wrote into the node. */
export function domainName(store: Store, domid: number): string {
  const name = store.read(storePath.domainName(domid)) ?? (domid === 0 ? 'Domain-0' : `domain ${domid}`);
  return name.replace(/\p{C}/gu, '?');
}

/** A domid as it stands in a node; undefined if the text is none. */
export function parseDomid(text: string | null): number | undefined {
  if (text === null || !/^[0-9]{1,5}$/.test(text)) return undefined;
  const domid = Number(text);
  return domid < FIRST_RESERVED_DOMID ? domid : undefined;
}

function byId(toolstack: Toolstack, domid: number): DomainInfo | null {
  return domid < FIRST_RESERVED_DOMID ? toolstack.domainInfo(domid) : null;
}
