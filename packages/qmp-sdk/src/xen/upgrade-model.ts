import { findDomain } from './domains.js';
import { modelNotRunning } from './model-state.js';
import type { XenHost } from './host.js';
import { withLock } from './lock.js';
import type { ModelClient, ModelStatus } from './model-client.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { runFile } from './run-dir.js';

type Process = NonNullable<ModelStatus['process']>;

export interface UpgradedModel {
  readonly domid: number;
  readonly domainName: string;
  /** Null where a model that an earlier version started does not tell. */
  readonly from: Process | null;
  readonly to: Process | null;
  /** For so long nobody served the guest: from the end of the old process to the first answer of the new one. */
  readonly pauseMs: number;
}

/**
 * Has a device model of the version that is installed now go on for the one that runs. The guest keeps its devices; a
 * request of its that is open meanwhile waits.
 *
 * @param domain id or name, as in `xl list`.
 * @throws XenOperationError XENPT_UPGRADE_REFUSED when the new one cannot go on, and the old one does;
 * XENPT_MODEL_NOT_RUNNING, XENPT_MODEL_STOPPED, XENPT_MODEL_TIMEOUT, XENPT_LOCKED and those of finding the domain
 */
export async function upgradeModel(host: XenHost, domain: string): Promise<UpgradedModel> {
  requireRoot(host, 'replace a device model');
  const { domid, name, info } = findDomain(host, domain);
  // Nothing is attached or detached meanwhile: an attach would be undone.
  return withLock(runFile.lock(host.runDir), host, LOCK_TIMEOUT_MS, async () => {
    const from = await processOf(await host.connectModel(domid, info.handle), domid);
    const { model, pauseMs } = await host.replaceModel(domid, info.handle);
    return { domid, domainName: name, from, to: await processOf(model, domid), pauseMs };
  });
}

async function processOf(model: ModelClient | null, domid: number): Promise<Process | null> {
  if (!model) throw modelNotRunning(domid);
  try {
    return (await model.status()).process ?? null;
  } finally {
    model.close();
  }
}
