import { existsSync, rmSync } from 'node:fs';
import { formatSbdf, parseSbdf, type Sbdf } from '@xenpt/pci';
import { isTakenByXl } from './attach-checks.js';
import { readPublishedDevices, withdrawDevice } from './device-nodes.js';
import { describeDetach } from './detach-plan.js';
import { type Domain, findDomain } from './domains.js';
import { describeError, errnoName, nextStepOf, XenErrorCode, XenOperationError } from './errors.js';
import { describeGrant, type Grant, type GrantRecord, readGrants, recordGrant } from './grants.js';
import type { XenHost } from './host.js';
import { EJECT_TIMEOUT_MS, ejectPlaceholder, hasPlaceholder, withdrawPlaceholder } from './hot-plug.js';
import { readInUse, releaseInUse } from './in-use.js';
import { forgetInLibxl } from './libxl-config.js';
import { withLock } from './lock.js';
import type { ModelClient } from './model-client.js';
import type { OperationPlan } from './operation-plan.js';
import { sysfsPath } from './paths.js';
import { ejectFromQemu, removeFromQemu } from './qemu-model.js';
import { Rehearsal } from './rehearsal.js';
import { deassignIfAssigned, quarantine } from './release-after-death.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { removeDomainDir, runFile } from './run-dir.js';
import { parseBdf } from './spec.js';
import type { OnStep } from './steps.js';
import { type AfterReset, describeGone, resetOrFindGone } from './verified-reset.js';

/** dom0's xen-pciback resets a device once more when its backend directory goes; a reset takes up to a second. */
const KERNEL_RELEASE_MS = 5_000;
const POLL_INTERVAL_MS = 100;

const MISSING = 'its driver finds the device missing';

export interface DetachOptions {
  /** Domain id or name. */
  readonly domain: string;
  readonly device: string;
  /** How long the system of a running guest may take to let go of the device: 15 s. */
  readonly timeoutMs?: number;
  /** Takes the device without asking the guest, whose driver then finds it missing. */
  readonly withoutGuest?: boolean;
  /** Ends the wait for the guest; nothing has been taken by then. */
  readonly signal?: AbortSignal;
  readonly onStep?: OnStep;
}

export interface Detached {
  readonly domid: number;
  readonly domainName: string;
  readonly sbdf: string;
  /**
   * False when the device model was gone: what it had mapped stays with the guest, so the device stays reserved for it
   * until the domain is destroyed.
   */
  readonly complete: boolean;
  readonly modelStopped: boolean;
  readonly notes: readonly string[];
}

/** What went wrong on the way; later steps are taken all the same. */
class Problems {
  readonly list: string[] = [];
  readonly causes: unknown[] = [];
  readonly #onStep: OnStep | undefined;
  readonly #faultPoint: XenHost['faultPoint'];
  firstStep: string | undefined;

  constructor(onStep: OnStep | undefined, faultPoint: XenHost['faultPoint']) {
    this.#onStep = onStep;
    this.#faultPoint = faultPoint;
  }

  async attempt(step: string, action: () => void | Promise<void>): Promise<boolean> {
    this.#onStep?.(step);
    await this.#faultPoint?.(`${step}:before`);
    try {
      await action();
      await this.#faultPoint?.(`${step}:after`);
      return true;
    } catch (error) {
      this.firstStep ??= step;
      this.causes.push(error);
      this.list.push(`${step}: ${describeError(error)}`);
      return false;
    }
  }
}

/**
 * Takes a device from a guest: asks the guest to let go of it, and then the reverse of `attach`, from what was recorded
 * then. Goes on after a failure, so that as much as possible is taken back; the device stays reserved until nothing of
 * it is left with the guest.
 *
 * @throws XenOperationError XENPT_GUEST_KEEPS_DEVICE when the guest does not let go: nothing was taken;
 * XENPT_INCOMPLETE with what is left; running it again tries that again.
 */
export async function detach(host: XenHost, options: DetachOptions): Promise<Detached> {
  const sbdf = parseBdf(options.device);
  requireRoot(host, 'detach a device');
  void host.toolstack;
  return withLock(runFile.lock(host.runDir), host, LOCK_TIMEOUT_MS, async () => {
    const domain = findDomain(host, options.domain);
    const record = requireRecord(host, domain, sbdf);
    if (!options.withoutGuest) options.onStep?.('wait for the guest to let go of it');
    const notes = options.withoutGuest ? [] : await askGuest(host, domain, record, options);
    return takeBack(host, domain, record, notes, options.onStep);
  });
}

export type DetachCheck = Pick<Detached, 'domid' | 'domainName' | 'sbdf'> & { readonly plan: OperationPlan };

/**
 * What `detach` would write where, as long as the guest lets go of the device. Changes nothing.
 *
 * @param rehearsal the same one for several devices in a row
 * @throws XenOperationError what `detach` would refuse
 */
export function checkDetach(
  host: XenHost,
  options: DetachOptions,
  rehearsal: Rehearsal = new Rehearsal(host),
): DetachCheck {
  const sbdf = parseBdf(options.device);
  requireRoot(host, 'detach a device');
  void host.toolstack;
  const domain = findDomain(host, options.domain);
  const record = requireRecord(host, domain, sbdf);
  const { withoutGuest = false } = options;
  const plan = describeDetach(host, { domain, record, sbdf, withoutGuest }, rehearsal);
  return { domid: domain.domid, domainName: domain.name, sbdf: record.sbdf, plan };
}

/**
 * Has the system of a running guest eject the device, and a paused one as soon as it runs.
 *
 * @returns what to tell when it could not be asked.
 * @throws XenOperationError XENPT_GUEST_KEEPS_DEVICE
 */
export async function askGuest(
  host: XenHost,
  domain: Domain,
  { sbdf, guestDevfn, state, announced = false, model: served }: GrantRecord,
  { timeoutMs = EJECT_TIMEOUT_MS, signal }: Pick<DetachOptions, 'timeoutMs' | 'signal'>,
): Promise<string[]> {
  const { paused } = domain.info.flags;
  if (served === 'qemu') return askQemu(host, domain, { sbdf, state }, { timeoutMs, signal });
  if (!announced) return paused ? [] : [`Domain ${domain.domid} was not asked for the device: ${MISSING}.`];
  // Without its model, or cut off half way, the guest has a slot that does not answer, or none.
  const model = state === 'attached' ? await host.connectModel(domain.domid, domain.info.handle) : null;
  if (!model) return [];
  try {
    if (!paused) await ejectPlaceholder(host, domain, guestDevfn, model, { timeoutMs, signal });
    // If it is not there, the guest has let go of the device by itself.
    else if (await hasPlaceholder(host, domain, guestDevfn)) await withdrawPlaceholder(host, domain, guestDevfn);
    else return [];
    return paused ? [`Domain ${domain.domid} is paused: ${MISSING} when it goes on.`] : [];
  } catch (error) {
    if (error instanceof XenOperationError && error.code === XenErrorCode.noMonitor) {
      return [`Domain ${domain.domid} could not be asked for the device, and ${MISSING}: ${describeError(error)}`];
    }
    throw keeps(domain, sbdf, error);
  } finally {
    model.close();
  }
}

/** Has the guest eject a device that its QEMU serves. One that is paused, or has half of it, is not asked. */
async function askQemu(
  host: XenHost,
  domain: Domain,
  device: Pick<GrantRecord, 'sbdf' | 'state'>,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<string[]> {
  const { paused } = domain.info.flags;
  if (paused || device.state !== 'attached') {
    return paused ? [`Domain ${domain.domid} is paused: ${MISSING} when it goes on.`] : [];
  }
  try {
    await ejectFromQemu(host, domain, device, options);
    return [];
  } catch (error) {
    throw keeps(domain, device.sbdf, error);
  }
}

/**
 * The second half of a detach, once the guest has been asked; also of one that was cut off. To be called with the
 * lock held.
 *
 * @param asked what there is to tell of the first half
 */
export async function takeBack(
  host: XenHost,
  domain: Domain,
  record: GrantRecord,
  asked: readonly string[],
  onStep: OnStep | undefined,
): Promise<Detached> {
  const { sysfs, toolstack, runDir } = host;
  const sbdf = parseSbdf(record.sbdf);
  const { domid } = domain;
  const identity = { domid, handle: domain.info.handle };
  const problems = new Problems(onStep, host.faultPoint);
  await problems.attempt('record that it is being detached', () =>
    recordGrant(runDir, identity, record.sbdf, { ...record, state: 'detaching' }),
  );
  const model =
    record.model === 'qemu'
      ? await leaveQemu(host, domain, record, problems)
      : await leaveModel(host, domain, record, problems);
  for (const grant of record.grants) {
    await problems.attempt(`take back ${describeGrant(grant)}`, () => revoke(host, domid, grant));
  }
  await problems.attempt('stop its DMA', () => sysfs.disableBusMaster(sbdf));
  let after: AfterReset = 'answers';
  await problems.attempt('reset the device', async () => {
    after = await resetIfPossible(host, sbdf);
  });
  const isGone = (after as AfterReset) === 'gone';
  const taken = await problems.attempt('take the device from the domain', () =>
    deassignIfAssigned(toolstack, domid, sbdf),
  );
  // Xen takes no function whose MSI-X reads as masked; one that came out of quarantine has gone back there by itself.
  if (taken && !isGone) await problems.attempt('put it into quarantine', () => quarantine(host, sbdf));
  const complete = model !== 'gone';
  const notes = [...asked, ...(isGone ? [describeGone(sbdf)] : []), ...(complete ? [] : modelGoneNotes(domid))];
  let modelStopped = false;
  if (complete && (await forget(host, domain, sbdf, problems))) {
    modelStopped = await stopModel(host, domid, model, { notes, onStep });
  }
  if (model !== 'gone') model?.close();
  if (problems.list.length > 0) throw incomplete(domain, record.sbdf, problems);
  return { domid, domainName: domain.name, sbdf: record.sbdf, complete, modelStopped, notes };
}

/** Only a device of which nothing is left with the guest becomes free again. Returns whether it is. */
async function forget(host: XenHost, domain: Domain, sbdf: Sbdf, problems: Problems): Promise<boolean> {
  const { store, runDir } = host;
  const { domid, info } = domain;
  if (problems.list.length > 0) return false;
  const withdrawn = await problems.attempt(
    'withdraw it from xenstore',
    () => void withdrawDevice(store, domid, sbdf),
  );
  if (!withdrawn) return false;
  await waitForKernelRelease(host, domid);
  const released = await problems.attempt('remove the in-use marker', () => releaseInUse(store, sbdf, domid));
  if (!released) return false;
  rmSync(runFile.keptRom(runDir, domid, formatSbdf(sbdf)), { force: true });
  return problems.attempt('remove the record', () =>
    recordGrant(runDir, { domid, handle: info.handle }, formatSbdf(sbdf), null),
  );
}

/** With its last device the model ends. One that does not is no reason to call the detach a failure. */
async function stopModel(
  { runDir, faultPoint }: XenHost,
  domid: number,
  model: ModelClient | undefined,
  { notes, onStep }: { readonly notes: string[]; readonly onStep: OnStep | undefined },
): Promise<boolean> {
  const left = readGrants(runDir, domid)?.devices ?? [];
  if (left.some((other) => other.model !== 'qemu')) return false;
  onStep?.('end the device model');
  await faultPoint?.('end the device model:before');
  try {
    await model?.shutdown();
  } catch (error) {
    notes.push(`The device model did not end: ${describeError(error)}. It ends with the domain at the latest.`);
    return false;
  }
  await faultPoint?.('end the device model:after');
  if (left.length === 0) removeDomainDir(runDir, domid);
  return model !== undefined;
}

/** @returns the connection to go on with, or `gone` if the model that served the device no longer runs. */
async function leaveModel(
  host: XenHost,
  domain: Domain,
  record: GrantRecord,
  problems: Problems,
): Promise<ModelClient | 'gone' | undefined> {
  let model: ModelClient | null | undefined;
  await problems.attempt('connect to the device model', async () => {
    model = await host.connectModel(domain.domid, domain.info.handle);
  });
  if (model === null) {
    // An attach that was cut off before there was a model has mapped nothing.
    const neverStarted = record.state === 'attaching' && !existsSync(runFile.modelLock(host.runDir, domain.domid));
    return neverStarted ? undefined : 'gone';
  }
  const connected = model;
  if (connected) {
    await problems.attempt('take the device from the device model', () => leave(connected, record.sbdf));
  }
  return connected;
}

/** What QEMU has mapped of it goes with it; a QEMU that is gone has nothing any more. */
async function leaveQemu(host: XenHost, domain: Domain, record: GrantRecord, problems: Problems): Promise<undefined> {
  await problems.attempt("take the device from the guest's QEMU", async () => {
    try {
      await removeFromQemu(host, domain, record);
    } catch (error) {
      if (!(error instanceof XenOperationError) || error.code !== XenErrorCode.noMonitor) throw error;
    }
  });
  await problems.attempt('have xl not plug it again', () => forgetInLibxl(host, domain, record.sbdf));
}

/** A model that does not have the device has nothing to give back: an earlier detach came this far. */
async function leave(model: ModelClient, sbdf: string): Promise<void> {
  try {
    await model.detach(sbdf);
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
    if (cause?.code !== 'DEVICE_MODEL_NOT_ATTACHED') throw error;
  }
}

function revoke({ toolstack }: XenHost, domid: number, grant: Grant): void {
  if (grant.kind === 'io') toolstack.ioportPermission(domid, grant.first, grant.count, false);
  else toolstack.iomemPermission(domid, grant.mfn, grant.count, false);
}

async function resetIfPossible(host: XenHost, sbdf: Sbdf): Promise<AfterReset> {
  if (!existsSync(host.sysfs.root + sysfsPath.reset(sbdf))) return 'answers';
  return resetOrFindGone(host, sbdf);
}

/** Bounded; a backend that the kernel keeps is its own affair, as it is after `xl pci-detach`. */
async function waitForKernelRelease({ sysfs, clock }: XenHost, domid: number): Promise<void> {
  const deadline = clock.now() + KERNEL_RELEASE_MS;
  const folder = sysfs.root + sysfsPath.kernelBackend(domid);
  while (existsSync(folder) && clock.now() < deadline) await clock.sleep(POLL_INTERVAL_MS);
}

/** @throws XenOperationError XENPT_NOT_ATTACHED, XENPT_OTHER_TOOLSTACK */
function requireRecord(host: XenHost, domain: Domain, sbdf: Sbdf): GrantRecord {
  const { domid, info, name: domainText } = domain;
  const name = formatSbdf(sbdf);
  const file = readGrants(host.runDir, domid);
  const record = file?.handle === info.handle ? file.devices.find((device) => device.sbdf === name) : undefined;
  const taken = record !== undefined && isTakenByXl(record, readInUse(host.store, sbdf), domid);
  if (taken) recordGrant(host.runDir, { domid, handle: info.handle }, name, null);
  else if (record) return record;
  const published = readPublishedDevices(host.store, domid).some((device) => formatSbdf(device.sbdf) === name);
  if (published || readInUse(host.store, sbdf) === domid) {
    throw new XenOperationError(
      XenErrorCode.otherToolstack,
      `${name} was given to domain ${domid} (${domainText}) by another toolstack, not by xenpt`,
      { next: `Run: xl pci-detach ${domid} ${name}` },
    );
  }
  throw new XenOperationError(
    XenErrorCode.notAttached,
    `${name} is not attached to domain ${domid} (${domainText})`,
    {
      next: 'See `xenpt list` for who has it.',
    },
  );
}

function keeps({ domid, name }: Domain, sbdf: string, cause: unknown): XenOperationError {
  return new XenOperationError(
    XenErrorCode.guestKeepsDevice,
    `domain ${domid} (${name}) still has ${sbdf}: ${describeError(cause)}`,
    {
      cause,
      next:
        `${nextStepOf(cause) ?? 'Run it again.'} If the guest need not be asked: ` +
        `xenpt detach ${domid} ${sbdf} --without-guest`,
    },
  );
}

function modelGoneNotes(domid: number): string[] {
  return [
    `The device model of domain ${domid} is not running, so what it had mapped into the guest could not be unmapped.`,
    `The device is stopped and in quarantine, and stays reserved until the domain is destroyed: xl destroy ${domid}`,
  ];
}

function incomplete({ domid, name }: Domain, sbdf: string, problems: Problems): XenOperationError {
  const [cause] = problems.causes;
  const errno = errnoName(cause);
  return new XenOperationError(
    XenErrorCode.incomplete,
    `detach ${sbdf} from domain ${domid} (${name}): the step "${problems.firstStep ?? ''}" failed` +
      `${errno === undefined ? '' : ` with ${errno}`}; the device stays reserved for the domain`,
    {
      cause,
      ...(problems.firstStep === undefined ? {} : { step: problems.firstStep }),
      outcome: 'incomplete',
      leftovers: problems.list,
      next: `Run it again: xenpt detach ${domid} ${sbdf}. If it keeps failing: xl destroy ${domid}`,
    },
  );
}
