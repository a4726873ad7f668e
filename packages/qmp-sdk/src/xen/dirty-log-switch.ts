import { findSaver } from './dirty-log-migration.js';
import { removeDirtyLogRecord } from './dirty-log-record.js';
import { errnoName } from './errors.js';
import type { DirtyLogCalls, XenHost } from './host.js';

/** Xen answers EBUSY while an earlier call for the domain goes on in pieces; for 1 TiB of guest that takes a second. */
const BUSY_RETRIES = 50;
const BUSY_INTERVAL_MS = 100;

/** A domain and who it is. */
export interface DomainIdentity {
  readonly domid: number;
  readonly handle: string;
}

/** Whether this very domain is there, and not about to go: of a dying one Xen ignores every call, and says success. */
export function isDomainAlive({ toolstack }: XenHost, { domid, handle }: DomainIdentity): boolean {
  const info = toolstack.domainInfo(domid);
  return info !== null && info.handle === handle && !info.flags.dying;
}

export type SwitchedOff = 'switched-off' | 'domain-gone' | 'migration-running';

/**
 * Switches the logging of a domain off and removes its record. Under a migration nothing is switched off: that has
 * logging on for itself, and switches it off at its end (tools/libs/guest/xg_sr_save.c).
 *
 * @throws what Xen throws; the record is kept then.
 */
export async function switchOff(host: XenHost, calls: DirtyLogCalls, domain: DomainIdentity): Promise<SwitchedOff> {
  const outcome = await disable(host, calls, domain);
  removeDirtyLogRecord(host.runDir, domain.domid);
  return outcome;
}

async function disable(host: XenHost, calls: DirtyLogCalls, domain: DomainIdentity): Promise<SwitchedOff> {
  for (let attempt = 0; ; attempt++) {
    if (!isDomainAlive(host, domain)) return 'domain-gone';
    if (findSaver(host.processList, domain.domid)) return 'migration-running';
    try {
      calls.disable(domain.domid);
      return 'switched-off';
    } catch (error) {
      if (errnoName(error) === 'ESRCH') return 'domain-gone';
      if (errnoName(error) !== 'EBUSY' || attempt >= BUSY_RETRIES) throw error;
    }
    await host.clock.sleep(BUSY_INTERVAL_MS);
  }
}
