import { findDomain } from './domains.js';
import { XenErrorCode, XenOperationError } from './errors.js';
import { readGrants } from './grants.js';
import type { XenHost } from './host.js';
import type { ModelLatency, ModelStatus, ModelWaiting } from './model-client.js';
import { modelNotRunning } from './model-state.js';
import { requireRoot } from './require-root.js';

/** What a guest's device model has done since its process was started. */
export interface ModelStats {
  readonly domid: number;
  readonly domainName: string;
  /** Null where a model that an earlier version started does not tell, as with all that may be null here. */
  readonly process: NonNullable<ModelStatus['process']> | null;
  /** `0000:01:00.0` */
  readonly devices: readonly string[];
  /** Requests of the guest, by kind; `refused` and `faulted` are counted beside their kind. */
  readonly requests: Readonly<Record<string, number>>;
  /** What was carried out for them, by type, and what Xen or the host refused. */
  readonly effects: Readonly<Record<string, number>>;
  readonly failedEffects: Readonly<Record<string, number>> | null;
  /** Configuration writes of which no bit could take effect. */
  readonly deniedWrites: number;
  /** Interrupts bound to the guest, by kind. Xen sends them past the model, so how many were sent nobody counts. */
  readonly interrupts: Readonly<Record<string, number>> | null;
  readonly latency: ModelLatency | null;
  /** What the guest is kept waiting by. */
  readonly waiting: ModelWaiting | null;
  /** How many requests and calls have had no answer for 2 s. */
  readonly late: number | null;
}

/**
 * What a guest's device model counts. It answers also while it hangs in a request.
 *
 * @param domain id or name, as in `xl list`.
 * @throws XenOperationError XENPT_NOT_ATTACHED, XENPT_MODEL_NOT_RUNNING, XENPT_MODEL_STOPPED, XENPT_MODEL_TIMEOUT and
 * those of finding the domain
 */
export async function readModelStats(host: XenHost, domain: string): Promise<ModelStats> {
  requireRoot(host, 'ask a device model');
  const { domid, name, info } = findDomain(host, domain);
  const model = await host.connectModel(domid, info.handle);
  if (!model) {
    const hasDevices = readGrants(host.runDir, domid)?.handle === info.handle;
    throw hasDevices ? modelNotRunning(domid) : noModel(domid, name);
  }
  try {
    const { process, devices, requests, effects, deniedWrites, ...rest } = await model.status();
    const { failedEffects, interrupts, latency, waiting, late } = rest;
    return {
      domid,
      domainName: name,
      process: process ?? null,
      ...{ devices, requests, effects, deniedWrites },
      failedEffects: failedEffects ?? null,
      interrupts: interrupts ?? null,
      latency: latency ?? null,
      waiting: waiting ?? null,
      late: late ?? null,
    };
  } finally {
    model.close();
  }
}

function noModel(domid: number, name: string): XenOperationError {
  return new XenOperationError(
    XenErrorCode.notAttached,
    `domain ${domid} (${name}) has no device model: xenpt has attached nothing to it`,
    { next: 'See `xenpt list` for who has what.' },
  );
}
