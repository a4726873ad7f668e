import { parseSbdf } from '@xenpt/pci';
import { describeError } from './errors.js';
import { type GrantFile, readGrants } from './grants.js';
import type { XenHost } from './host.js';
import { withLock } from './lock.js';
import { domainsWithFolder, readModelProcess } from './model-state.js';
import { releaseAfterDeath } from './release-after-death.js';
import { LOCK_TIMEOUT_MS } from './require-root.js';
import { hasLeftState, removeDomainDir, runFile } from './run-dir.js';

/**
 * Cleans up after domains that are gone and have no device model of ours, at work or killed: that cleans up at once.
 * The devices of the others were QEMU's alone, or an attach was cut off before there was a model.
 *
 * @returns one sentence for everything that did not work
 */
export async function forgetDeadDomains(host: XenHost): Promise<string[]> {
  const problems: string[] = [];
  for (const domid of domainsWithFolder(host.runDir)) {
    try {
      const file = readForgotten(host, domid);
      if (file) problems.push(...(await forget(host, file)));
    } catch (error) {
      problems.push(describeError(error));
    }
  }
  return problems.map((problem) => `Of a domain that is gone: ${problem}`);
}

/** What a domain that is gone had of QEMU's model alone; undefined for every other. */
export function readForgotten(host: XenHost, domid: number): GrantFile | undefined {
  const file = readGrants(host.runDir, domid);
  return file && isForgotten(host, file) ? file : undefined;
}

async function forget(host: XenHost, { domid, handle, devices }: GrantFile): Promise<string[]> {
  const { runDir, toolstack, store, sysfs, clock, processes } = host;
  const dead = { domid, handle, runDir, toolstack, store, sysfs, clock, processes };
  const problems = await releaseAfterDeath(
    dead,
    devices.map(({ sbdf }) => parseSbdf(sbdf)),
  );
  await withLock(runFile.lock(runDir), host, LOCK_TIMEOUT_MS, () => {
    // Another domain may have got the id, and a device, meanwhile.
    if (readGrants(runDir, domid)?.handle === handle) removeDomainDir(runDir, domid);
    return Promise.resolve();
  });
  return problems;
}

function isForgotten(host: XenHost, { domid, handle, devices }: GrantFile): boolean {
  // One that has served ends with its domain, and removes the record itself.
  if (devices.some(({ model, state }) => model !== 'qemu' && state === 'attached')) return false;
  if (hasLeftState(host.runDir, domid, handle) || readModelProcess(host, domid) !== null) return false;
  return host.toolstack.domainInfo(domid)?.handle !== handle;
}
