import { rmSync, writeFileSync } from 'node:fs';
import { formatSbdf, sbdfToNumber } from '@xenpt/pci';
import { readFunctionImage } from '@xenpt/pci/sysfs';
import {
  explainAssign,
  isResettable,
  requireAssignable,
  requireHvm,
  requireIommu,
  requireOnPciback,
  requireOwnPages,
  requireUnused,
} from './attach-checks.js';
import { type DeviceOptions, settleOptions } from './attach-options.js';
import { type AttachPlan, describeAttach, grantRecordOf, modelRequest } from './attach-plan.js';
import { XenptError } from '../errors.js';
import { publishDevice, withdrawDevice } from './device-nodes.js';
import { type Domain, findDomain } from './domains.js';
import { describeError, XenErrorCode, XenOperationError } from './errors.js';
import {
  describeGrant,
  dropForeignGrants,
  type Grant,
  type GrantFile,
  grantsOf,
  readGrants,
  recordGrant,
} from './grants.js';
import type { XenHost } from './host.js';
import { listEmulatedSlots, plugPlaceholder, withdrawPlaceholder } from './hot-plug.js';
import { claimInUse, releaseInUse } from './in-use.js';
import { withLock } from './lock.js';
import { messageBudget, shortageOf } from './message-budget.js';
import type { AttachedFunction, ModelClient } from './model-client.js';
import { requireDevice, sysfsOptions } from './pciback.js';
import { deassignIfAssigned, quarantine } from './release-after-death.js';
import { type Override, readJournal } from './journal.js';
import type { OperationPlan } from './operation-plan.js';
import { Rehearsal } from './rehearsal.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { makeDomainDir, removeDomainDir, runFile } from './run-dir.js';
import { chooseGuestDevfn } from './slots.js';
import { formatGuestAddress, parsePassthroughSpec, type PassthroughSpec } from './spec.js';
import { type OnStep, type Steps, withRollback } from './steps.js';
import { acceptedOverrides, requireVerdict, type SetAside } from './verdict-check.js';

/** Reserved memory regions that the guest's memory map does not respect make the assignment fail. */
const RDM_STRICT = 0;

const NO_RESET =
  'The kernel has no way to reset this device alone: the guest may find what its last user left in it.';

export interface AttachOptions extends DeviceOptions {
  /** Domain id or name. */
  readonly domain: string;
  /** `BDF[@VSLOT]`, VSLOT hexadecimal. */
  readonly spec: string;
  /** Looked at between the steps; what was done is undone. */
  readonly signal?: AbortSignal;
  /** What the operator takes the risk of, beside what was set aside when the device was made assignable. */
  readonly overrides?: readonly Override[];
  readonly onStep?: OnStep;
}

export interface Attached extends AttachedFunction {
  readonly domid: number;
  readonly domainName: string;
  readonly sbdf: string;
  /** Where the guest sees it: `0000:00:05.0`. */
  readonly guestSbdf: string;
  readonly guestDevfn: number;
  /** The guest was already running; a paused one finds the device when it starts. */
  readonly running: boolean;
  /**
   * By ACPI hot-plug: a running guest was told of it, and it can be asked to eject it. If not, a running one has to
   * look for new devices.
   */
  readonly announced: boolean;
  readonly modelStarted: boolean;
  readonly warnings: readonly string[];
  /** What the rules hold against it, and the operator has set aside. */
  readonly setAside: readonly SetAside[];
}

/**
 * Gives a device to an HVM guest: checks everything first, then
 * record → in-use marker → reset → permissions → assign → device model → ACPI hot-plug → xenstore nodes.
 *
 * @throws XenOperationError; everything done is undone then, in reverse.
 */
export async function attach(host: XenHost, options: AttachOptions): Promise<Attached> {
  const spec = parsePassthroughSpec(options.spec);
  requireRoot(host, 'attach a device');
  void host.toolstack;
  return withLock(runFile.lock(host.runDir), host, LOCK_TIMEOUT_MS, async () => {
    const plan = await check(host, options, spec);
    dropForeignGrants(host.runDir, plan.domain.domid, plan.domain.info.handle);
    const what = `attach ${plan.name} to domain ${plan.domain.domid} (${plan.domain.name})`;
    const rules = { signal: options.signal, onStep: options.onStep, explain: explainAssign(plan.domain) };
    return withRollback(what, rules, (steps) => perform(host, plan, steps));
  });
}

export type AttachCheck = Pick<Attached, 'domid' | 'domainName' | 'sbdf' | 'guestSbdf' | 'setAside' | 'warnings'> & {
  readonly plan: OperationPlan;
};

/**
 * All that `attach` looks at before it changes something, and what it would write where: for a dry run, and for whoever
 * is to confirm what the overrides set aside. Changes nothing.
 *
 * @param rehearsal the same one for several devices in a row
 * @throws XenOperationError what `attach` would refuse
 */
export async function checkAttach(
  host: XenHost,
  options: AttachOptions,
  rehearsal: Rehearsal = new Rehearsal(host),
): Promise<AttachCheck> {
  const spec = parsePassthroughSpec(options.spec);
  requireRoot(host, 'attach a device');
  void host.toolstack;
  const rehearsed = Object.create(host, { store: { value: rehearsal.store } }) as XenHost;
  const settled = await check(rehearsed, options, spec);
  const { domain, name, guestDevfn, setAside, warnings } = settled;
  const { domid, name: domainName } = domain;
  if (ownGrants(host, domain) !== undefined) rehearsal.models.add(domid);
  const plan = describeAttach(host, settled, rehearsal);
  return { domid, domainName, sbdf: name, guestSbdf: formatGuestAddress(guestDevfn), setAside, warnings, plan };
}

/** Everything that can be known to fail before something is changed. */
async function check(host: XenHost, wanted: AttachOptions, spec: PassthroughSpec): Promise<AttachPlan> {
  const { store, sysfs } = host;
  const { sbdf } = spec;
  requireDevice(sysfs, sbdf);
  const domain = findDomain(host, wanted.domain);
  requireHvm(domain);
  requireIommu(host);
  requireOnPciback(sysfs, sbdf);
  const file = ownGrants(host, domain);
  const staleUser = requireUnused(host, domain, sbdf, file);
  const overrides = [...acceptedOverrides(readJournal(host), host, formatSbdf(sbdf)), ...(wanted.overrides ?? [])];
  const setAside = requireVerdict(host, sbdf, { overrides, domain });
  const image = readFunctionImage(sbdf, sysfsOptions(sysfs));
  requireOwnPages(sysfs, image);
  requireAssignable(host, domain, sbdf);
  const options = settleOptions(sysfs, image, wanted);
  const shortage = shortageOf(messageBudget(host, image, file), formatSbdf(sbdf), domain);
  const emulated = await listEmulatedSlots(host, domain);
  const records = file?.devices ?? [];
  const guestDevfn = chooseGuestDevfn(store, domain.domid, records, sbdf, spec.slot, emulated.occupants);
  const resettable = isResettable(sysfs, sbdf);
  return {
    domain,
    sbdf,
    name: formatSbdf(sbdf),
    guestDevfn,
    grants: grantsOf(image.resources),
    staleUser,
    resettable,
    options,
    setAside,
    warnings: [
      ...(resettable ? [] : [NO_RESET]),
      // Too few pirqs leave a driver without interrupts.
      ...(shortage === undefined ? [] : [shortage]),
      ...(emulated.unknown === undefined
        ? []
        : [`Whether the guest's QEMU has a device in that slot is not known: ${emulated.unknown}`]),
    ],
  };
}

/** What a dead domain of the same id left is not this one's. */
function ownGrants({ runDir }: XenHost, { domid, info }: Domain): GrantFile | undefined {
  const file = readGrants(runDir, domid);
  return file?.handle === info.handle ? file : undefined;
}

async function perform(host: XenHost, plan: AttachPlan, steps: Steps): Promise<Attached> {
  const { store, sysfs } = host;
  const { domain, sbdf, name, guestDevfn } = plan;
  const { domid } = domain;
  await steps.run(
    'record what will be granted',
    () => record(host, plan, 'attaching'),
    (made) => {
      recordGrant(host.runDir, { domid, handle: domain.info.handle }, name, null);
      if (made) removeDomainDir(host.runDir, domid);
    },
  );
  await steps.run(
    'mark the device as in use',
    () => claim(host, plan),
    () => releaseInUse(store, sbdf, domid),
  );
  if (plan.resettable) await steps.run('reset the device', () => sysfs.reset(sbdf));
  for (const grant of plan.grants) {
    const permit = (allow: boolean) => setPermission(host, domid, grant, allow);
    await steps.run(
      `allow ${describeGrant(grant)}`,
      () => permit(true),
      () => permit(false),
    );
  }
  await steps.run(
    'assign the device to the domain',
    () => assign(host, plan),
    () => unassign(host, plan),
  );
  const { model, started } = await connectOrStart(host, domain, steps);
  const attached = await handOver(host, plan, model, steps);
  const hotPlugged = await steps.run(
    'announce it to the guest',
    () => announce(host, plan),
    ({ announced }) => (announced ? withdrawPlaceholder(host, domain, guestDevfn) : undefined),
  );
  await steps.run(
    'publish it in xenstore',
    () => publishDevice(store, domid, sbdf, guestDevfn),
    () => void withdrawDevice(store, domid, sbdf),
  );
  await steps.run('record that it is attached', () => record(host, plan, 'attached', hotPlugged.announced));
  model.close();
  return report(plan, attached, started, hotPlugged);
}

interface HotPlugged {
  readonly announced: boolean;
  readonly warnings: readonly string[];
}

/** A guest that cannot be told can look for itself: no reason to take the device away again. */
async function announce(host: XenHost, { domain, guestDevfn }: AttachPlan): Promise<HotPlugged> {
  try {
    await plugPlaceholder(host, domain, guestDevfn);
    return { announced: true, warnings: [] };
  } catch (error) {
    // Only QEMU may fail here, not Xen.
    if (!(error instanceof XenptError)) throw error;
    const why = `The guest cannot be told of the device, nor asked for it back: ${describeError(error)}`;
    const isQuiet = error.code === XenErrorCode.noMonitor && domain.info.flags.paused;
    return { announced: false, warnings: isQuiet ? [] : [why] };
  }
}

/** The ROM goes by a file that only we may read: requests are short. */
async function handOver(
  { runDir }: XenHost,
  plan: AttachPlan,
  model: ModelClient,
  steps: Steps,
): Promise<AttachedFunction> {
  const { domain, name: sbdf, options } = plan;
  const { romImage } = options;
  const romFile = runFile.rom(runDir, domain.domid);
  const removeRom = () => rmSync(romFile, { force: true });
  if (romImage) {
    await steps.run('lay out the ROM', () => writeFileSync(romFile, romImage, { mode: 0o600 }), removeRom);
  }
  const attached = await steps.run(
    'hand the device to the device model',
    () => model.attach(modelRequest(plan)),
    () => model.detach(sbdf),
  );
  removeRom();
  return attached;
}

/** @returns whether the folder of the domain was made for this. */
function record(
  { runDir }: XenHost,
  plan: AttachPlan,
  state: 'attaching' | 'attached',
  announced: boolean = false,
): boolean {
  const { domid, info } = plan.domain;
  const made = makeDomainDir(runDir, domid);
  try {
    recordGrant(runDir, { domid, handle: info.handle }, plan.name, grantRecordOf(plan, state, announced));
  } catch (error) {
    if (made) removeDomainDir(runDir, domid);
    throw error;
  }
  return made;
}

function claim({ store }: XenHost, { sbdf, name, domain, staleUser }: AttachPlan): void {
  if (claimInUse(store, sbdf, domain.domid, staleUser)) return;
  throw new XenOperationError(XenErrorCode.deviceInUse, `another tool took ${name} a moment ago`, {
    next: 'See `xenpt list` for who has it now.',
  });
}

function setPermission({ toolstack }: XenHost, domid: number, grant: Grant, allow: boolean): void {
  if (grant.kind === 'io') toolstack.ioportPermission(domid, grant.first, grant.count, allow);
  else toolstack.iomemPermission(domid, grant.mfn, grant.count, allow);
}

function assign({ toolstack }: XenHost, { domain, sbdf }: AttachPlan): void {
  toolstack.assignDevice(domain.domid, sbdfToNumber(sbdf), RDM_STRICT);
}

function unassign(host: XenHost, { domain, sbdf }: AttachPlan): void {
  deassignIfAssigned(host.toolstack, domain.domid, sbdf);
  quarantine(host, sbdf);
}

async function connectOrStart(
  host: XenHost,
  { domid, info }: Domain,
  steps: Steps,
): Promise<{ model: ModelClient; started: boolean }> {
  const running = await steps.run(
    'look for the device model of the guest',
    () => host.connectModel(domid, info.handle),
    (client) => client?.close(),
  );
  if (running) return { model: running, started: false };
  const model = await steps.run(
    'start the device model',
    () => host.startModel(domid, info.handle),
    async (client) => {
      await client.shutdown();
      client.close();
    },
  );
  return { model, started: true };
}

function report(
  plan: AttachPlan,
  attached: AttachedFunction,
  modelStarted: boolean,
  { announced, warnings }: HotPlugged,
): Attached {
  const { domain, name, guestDevfn } = plan;
  return {
    domid: domain.domid,
    domainName: domain.name,
    sbdf: name,
    guestSbdf: formatGuestAddress(guestDevfn),
    guestDevfn,
    running: !domain.info.flags.paused,
    announced,
    modelStarted,
    ...attached,
    setAside: plan.setAside,
    warnings: [...plan.warnings, ...warnings],
  };
}
