import { formatSbdf, sbdfToNumber } from '@xenpt/pci';
import { readFunctionImage } from '@xenpt/pci/sysfs';
import { addAssignable } from './assignable-add.js';
import { removeAssignable } from './assignable-remove.js';
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
import {
  type DeviceOptions,
  type EffectiveOptions,
  recordOptions,
  settleForQemu,
  type ServingModel,
  settleOptions,
} from './attach-options.js';
import { type AttachPlan, describeAttach, grantRecordOf } from './attach-plan.js';
import { forgetDeadDomains } from './dead-domains.js';
import { publishDevice, withdrawDevice } from './device-nodes.js';
import { type Domain, findDomain } from './domains.js';
import { XenErrorCode, XenOperationError } from './errors.js';
import {
  describeGrant,
  dropForeignGrants,
  type Grant,
  type GrantFile,
  grantsOf,
  readGrants,
  recordGrant,
} from './grants.js';
import { RDM_RELAXED, type XenHost } from './host.js';
import { type Handed, handToModel } from './hand-over.js';
import { listEmulatedSlots } from './hot-plug.js';
import { claimInUse, releaseInUse } from './in-use.js';
import { withLock } from './lock.js';
import { messageBudget, shortageOf } from './message-budget.js';
import { requireQemu } from './qmp.js';
import { isOnPciback, requireDevice, sysfsOptions } from './pciback.js';
import { handToQemu } from './qemu-model.js';
import { deassignIfAssigned, quarantine } from './release-after-death.js';
import { type Override, readJournal } from './journal.js';
import { describePlan, type OperationPlan } from './operation-plan.js';
import { Rehearsal } from './rehearsal.js';
import { LOCK_TIMEOUT_MS, requireRoot } from './require-root.js';
import { forgetRestart } from './restart-record.js';
import { makeDomainDir, removeDomainDir, runFile } from './run-dir.js';
import { chooseGuestDevfn } from './slots.js';
import { formatGuestAddress, parsePassthroughSpec, type PassthroughSpec } from './spec.js';
import { type OnStep, type Steps, withRollback } from './steps.js';
import { resetAndVerify } from './verified-reset.js';
import { acceptedOverrides, requireVerdict, type SetAside } from './verdict-check.js';

/** Reserved memory regions that the guest's memory map does not respect make the assignment fail, or do not. */
const RDM_FLAGS = { strict: 0, relaxed: RDM_RELAXED } as const;

const NO_RESET =
  'The kernel has no way to reset this device alone: the guest may find what its last user left in it.';

export interface AttachOptions extends DeviceOptions {
  /** Domain id or name. */
  readonly domain: string;
  /** `BDF[@VSLOT]`, VSLOT hexadecimal. */
  readonly spec: string;
  /** `qemu`: the guest's QEMU serves it, as after `xl pci-attach`. Default: `xenpt`, ours. */
  readonly model?: ServingModel;
  /** Looked at between the steps; what was done is undone. */
  readonly signal?: AbortSignal;
  /** What the operator takes the risk of, beside what was set aside when the device was made assignable. */
  readonly overrides?: readonly Override[];
  readonly onStep?: OnStep;
}

export type Attached = Handed['attached'] & AttachedDevice;

interface AttachedDevice {
  readonly domid: number;
  readonly domainName: string;
  readonly sbdf: string;
  /** Where the guest sees it: `0000:00:05.0`. */
  readonly guestSbdf: string;
  readonly guestDevfn: number;
  /** What serves it. */
  readonly model: ServingModel;
  readonly options: EffectiveOptions;
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
  const leftovers = await forgetDeadDomains(host);
  const attached = await seizeAndAttach(host, options, spec);
  return { ...attached, warnings: [...attached.warnings, ...leftovers] };
}

async function seizeAndAttach(host: XenHost, options: AttachOptions, spec: PassthroughSpec): Promise<Attached> {
  const name = formatSbdf(spec.sbdf);
  if (!seizes(host, spec)) return attachAssignable(host, options, spec, false);
  const { signal, onStep, overrides = [] } = options;
  findDomain(host, options.domain);
  await addAssignable(host, name, { overrides, ...(signal ? { signal } : {}), ...(onStep ? { onStep } : {}) });
  try {
    return await attachAssignable(host, options, spec, true);
  } catch (error) {
    // If that fails it stays assignable, as `xenpt list` shows, and is nobody's.
    await removeAssignable(host, name).catch(() => undefined);
    throw error;
  }
}

/** Whether the device has to be taken from a driver of dom0 first. */
function seizes({ sysfs }: XenHost, { sbdf, options }: PassthroughSpec): boolean {
  return options?.seize === true && !isOnPciback(sysfs, sbdf);
}

async function attachAssignable(
  host: XenHost,
  options: AttachOptions,
  spec: PassthroughSpec,
  seized: boolean,
): Promise<Attached> {
  return withLock(runFile.lock(host.runDir), host, LOCK_TIMEOUT_MS, async () => {
    const plan = await check(host, options, spec, seized);
    dropForeignGrants(host.runDir, plan.domain.domid, plan.domain.info.handle);
    const what = `attach ${plan.name} to domain ${plan.domain.domid} (${plan.domain.name})`;
    const { signal, onStep } = options;
    const rules = { signal, onStep, faultPoint: host.faultPoint, explain: explainAssign(plan.domain) };
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
  const seized = seizes(host, spec);
  const settled = await check(rehearsed, options, spec, seized);
  const { domain, name, guestDevfn, setAside, warnings } = settled;
  const { domid, name: domainName } = domain;
  if (ownGrants(host, domain) !== undefined) rehearsal.models.add(domid);
  const { overrides = [] } = options;
  const taking = seized ? (await addAssignable(host, name, { overrides, dryRun: true })).plan : null;
  const giving = describeAttach(host, settled, rehearsal);
  const plan = describePlan(name, [...(taking?.steps ?? []), ...giving.steps]);
  return { domid, domainName, sbdf: name, guestSbdf: formatGuestAddress(guestDevfn), setAside, warnings, plan };
}

/** Everything that can be known to fail before something is changed. */
async function check(
  host: XenHost,
  given: AttachOptions,
  spec: PassthroughSpec,
  seized: boolean,
): Promise<AttachPlan> {
  const { store, sysfs } = host;
  const { sbdf } = spec;
  const isPermissive = given.permissive === true || spec.options?.permissive === true;
  const wanted = { ...given, ...spec.options, permissive: isPermissive };
  requireDevice(sysfs, sbdf);
  const domain = findDomain(host, wanted.domain);
  requireHvm(domain);
  requireIommu(host);
  if (!seizes(host, spec)) requireOnPciback(sysfs, sbdf);
  const file = ownGrants(host, domain);
  const staleUser = requireUnused(host, domain, sbdf, file);
  const overrides = [...acceptedOverrides(readJournal(host), host, formatSbdf(sbdf)), ...(wanted.overrides ?? [])];
  const setAside = requireVerdict(host, sbdf, { overrides, domain });
  const image = readFunctionImage(sbdf, sysfsOptions(sysfs));
  requireOwnPages(sysfs, image);
  requireAssignable(host, domain, sbdf);
  const { model = 'xenpt' } = wanted;
  const options = model === 'qemu' ? settleForQemu(wanted) : settleOptions(sysfs, image, wanted);
  if (model === 'qemu') requireQemu(host, domain);
  const shortage = shortageOf(messageBudget(host, image, file), formatSbdf(sbdf), domain);
  const emulated = await listEmulatedSlots(host, domain);
  const records = file?.devices ?? [];
  const guestDevfn = chooseGuestDevfn(store, domain.domid, records, sbdf, spec.slot, emulated.occupants);
  const resettable = isResettable(sysfs, sbdf);
  return {
    domain,
    sbdf,
    model,
    name: formatSbdf(sbdf),
    guestDevfn,
    grants: grantsOf(image.resources),
    staleUser,
    resettable,
    options,
    effective: { permissive: wanted.permissive, rdmPolicy: wanted.rdmPolicy ?? 'strict', seized },
    recordedOptions: recordOptions(wanted),
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
  const { store } = host;
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
  if (plan.resettable) await steps.run('reset the device', () => resetAndVerify(host, sbdf));
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
  const handed = plan.model === 'qemu' ? await handToQemu(host, plan, steps) : await handToModel(host, plan, steps);
  await steps.run(
    'publish it in xenstore',
    () => publishDevice(store, domid, { sbdf, guestDevfn, options: plan.effective }),
    () => void withdrawDevice(store, domid, sbdf),
  );
  await steps.run('record that it is attached', () => record(host, plan, 'attached', handed.announced));
  forgetRestart(host.runDir, domain.info.handle, name);
  handed.close();
  return report(plan, handed);
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

function assign({ toolstack }: XenHost, { domain, sbdf, effective }: AttachPlan): void {
  toolstack.assignDevice(domain.domid, sbdfToNumber(sbdf), RDM_FLAGS[effective.rdmPolicy]);
}

function unassign(host: XenHost, { domain, sbdf }: AttachPlan): void {
  deassignIfAssigned(host.toolstack, domain.domid, sbdf);
  quarantine(host, sbdf);
}

function report(plan: AttachPlan, { attached, modelStarted, announced, warnings }: Handed): Attached {
  const { domain, name, guestDevfn, model } = plan;
  return {
    domid: domain.domid,
    domainName: domain.name,
    sbdf: name,
    guestSbdf: formatGuestAddress(guestDevfn),
    guestDevfn,
    model,
    options: plan.effective,
    running: !domain.info.flags.paused,
    announced,
    modelStarted,
    ...attached,
    setAside: plan.setAside,
    warnings: [...plan.warnings, ...warnings],
  };
}
