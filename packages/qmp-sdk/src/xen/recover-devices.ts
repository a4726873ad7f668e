import { askGuest, takeBack } from './detach.js';
import { type Domain, findDomain } from './domains.js';
import { describeError, nextStepOf, XenErrorCode, XenOperationError } from './errors.js';
import { type GrantRecord, readGrants } from './grants.js';
import type { XenHost } from './host.js';
import { hasPlaceholder } from './hot-plug.js';
import { withLock } from './lock.js';
import { domainsWithFolder } from './model-state.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { removeDomainDir, runFile } from './run-dir.js';

export interface RecoveredDevice {
  readonly domid: number;
  /** Null: a device model that was left without a device. */
  readonly sbdf: string | null;
  readonly outcome: 'taken-back' | 'model-ended' | 'failed';
  readonly sentence: string;
}

/**
 * Takes back what an attach or a detach that was killed has left with a guest that lives, and ends a device model that
 * has no device. A guest that has been told of a device is asked for it.
 *
 * @throws XenOperationError XENPT_NOT_ROOT, XENPT_NO_XEN
 */
export async function recoverDevices(host: XenHost): Promise<readonly RecoveredDevice[]> {
  requireRoot(host, 'take back what an attach has left');
  const recovered: RecoveredDevice[] = [];
  for (const domid of domainsWithFolder(host.runDir)) {
    // What is left of a dead one is `forgetDeadDomains`' affair, or its device model's.
    if (host.toolstack.domainInfo(domid) === null) continue;
    try {
      // Whoever has the lock may be in the middle of an attach, and is waited for.
      const work = () => recoverDomain(host, findDomain(host, String(domid)));
      recovered.push(...(await withLock(runFile.lock(host.runDir), host, LOCK_TIMEOUT_MS, work)));
    } catch (error) {
      recovered.push(failed(domid, null, error));
    }
  }
  return recovered;
}

async function recoverDomain(host: XenHost, domain: Domain): Promise<RecoveredDevice[]> {
  const { domid, info } = domain;
  const file = readGrants(host.runDir, domid);
  if (file !== undefined && file.handle !== info.handle) return [];
  const recovered: RecoveredDevice[] = [];
  for (const record of file?.devices ?? []) {
    if (record.state !== 'attached') recovered.push(await finish(host, domain, record));
  }
  const left = readGrants(host.runDir, domid)?.devices ?? [];
  if (left.every(({ model }) => model === 'qemu') && (await endIdleModel(host, domain))) {
    recovered.push({
      domid,
      sbdf: null,
      outcome: 'model-ended',
      sentence: `${theModelOf(domain)} had no device: ended.`,
    });
  }
  if (left.length === 0) removeDomainDir(host.runDir, domid);
  return recovered;
}

async function finish(host: XenHost, domain: Domain, record: GrantRecord): Promise<RecoveredDevice> {
  const { domid, name } = domain;
  const { sbdf, state } = record;
  try {
    const asked = await askGuest(host, domain, await announcedOf(host, domain, record), {});
    const { complete, notes } = await takeBack(host, domain, record, asked, undefined);
    const verb = state === 'attaching' ? 'attach' : 'detach';
    const outcome = complete ? 'taken-back' : 'failed';
    const sentence = [`${sbdf} was taken back from domain ${domid} (${name}), whose ${verb} was cut off.`, ...notes];
    return { domid, sbdf, outcome, sentence: sentence.join(' ') };
  } catch (error) {
    return failed(domid, sbdf, error);
  }
}

/** An attach says at its end only that the guest knows of the device; a detach has asked for it before it began. */
async function announcedOf(host: XenHost, domain: Domain, record: GrantRecord): Promise<GrantRecord> {
  if (record.model === 'qemu' || record.state === 'detaching') return { ...record, announced: true };
  try {
    const announced = await hasPlaceholder(host, domain, record.guestDevfn);
    // One that is not there was never announced, which is no reason to tell that nobody was asked.
    return announced ? { ...record, announced, state: 'attached' } : { ...record, announced: true };
  } catch {
    return { ...record, announced: true };
  }
}

async function endIdleModel(host: XenHost, domain: Domain): Promise<boolean> {
  const { domid, info } = domain;
  const model = await host.connectModel(domid, info.handle);
  if (model === null) return false;
  try {
    const { devices } = await model.status();
    if (devices.length > 0) {
      throw new XenOperationError(
        XenErrorCode.stepFailed,
        `${theModelOf(domain)} serves ${devices.join(', ')}, of which there is no record`,
        { next: `Destroy the domain, and Xen has everything back: xl destroy ${domid}` },
      );
    }
    await model.shutdown();
    return true;
  } finally {
    model.close();
  }
}

const theModelOf = ({ domid, name }: Domain): string => `The device model of domain ${domid} (${name})`;

function failed(domid: number, sbdf: string | null, error: unknown): RecoveredDevice {
  const sentence = `Domain ${domid}: ${describeError(error)}. ${nextStepOf(error) ?? 'Run it again.'}`;
  return { domid, sbdf, outcome: 'failed', sentence };
}
