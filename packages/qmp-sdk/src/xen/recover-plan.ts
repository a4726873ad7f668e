import { parseSbdf } from '@xenpt/pci';
import { checkAttach } from './attach.js';
import { readForgotten } from './dead-domains.js';
import { describeDetach } from './detach-plan.js';
import { findSaver } from './dirty-log-migration.js';
import { isOwnerAlive, listDirtyLogRecords, readDirtyLogRecord } from './dirty-log-record.js';
import { isDomainAlive } from './dirty-log-switch.js';
import { type Domain, findDomain } from './domains.js';
import { describeError, nextStepOf } from './errors.js';
import { type GrantRecord, readGrants } from './grants.js';
import type { XenHost } from './host.js';
import { type JournalRecord, readJournal } from './journal.js';
import type { TransactedDevice } from './journal-device.js';
import { planTransaction } from './journal-steps.js';
import { readHolder } from './lock.js';
import { domainsWithFolder } from './model-state.js';
import type { PlanStep } from './operation-plan.js';
import {
  damagedFile,
  isAlive,
  isUnfinished,
  leftAlone,
  requireNoGuest,
  requireSameCard,
  wish,
} from './recover-assignable.js';
import { Rehearsal } from './rehearsal.js';
import { isLeft, releaseSteps } from './release-after-death.js';
import { requireRoot } from './require-root.js';
import { attachOptionsOf, findRestarted } from './restart.js';
import { listRestarts, readRestart } from './restart-record.js';
import { domainDir, runFile } from './run-dir.js';

/** What a recovery would do about one thing that a killed process left. */
export interface RecoveryPlan {
  /** The address of a device, a domain, a guest, or a file. */
  readonly subject: string;
  /** What was found. */
  readonly sentence: string;
  /** None where nothing would be done. */
  readonly steps: readonly PlanStep[];
}

/**
 * What `recoverAssignable`, `recoverDirtyLogs`, `recoverDevices`, `recoverRestarts` and `forgetDeadDomains` would do
 * now, in their order. Changes nothing.
 *
 * @throws XenOperationError XENPT_NOT_ROOT, XENPT_NO_XEN
 */
export async function planRecovery(host: XenHost): Promise<readonly RecoveryPlan[]> {
  requireRoot(host, 'recover what a killed process left');
  void host.toolstack;
  const rehearsal = new Rehearsal(host);
  return [
    ...planTransactions(host, rehearsal),
    ...listDirtyLogRecords(host.runDir).flatMap((domid) => planDirtyLog(host, domid)),
    ...(await planDevices(host, rehearsal)),
    ...(await planRestarts(host, rehearsal)),
    ...domainsWithFolder(host.runDir).flatMap((domid) => planForgetting(host, rehearsal, domid)),
  ];
}

/** Newest first, as they are recovered. */
function planTransactions(host: XenHost, rehearsal: Rehearsal): RecoveryPlan[] {
  const { records, damaged } = readJournal(host);
  const devices = new Map<string, TransactedDevice>();
  return [
    ...records
      .filter(isUnfinished)
      .reverse()
      .map((record) => planRecord(host, rehearsal, devices, record)),
    ...damaged.map(({ path, reason }) => ({
      subject: path,
      sentence: damagedFile(path, reason).sentence,
      steps: [],
    })),
  ];
}

function planRecord(
  host: XenHost,
  rehearsal: Rehearsal,
  devices: Map<string, TransactedDevice>,
  record: JournalRecord,
): RecoveryPlan {
  const { id, kind, sbdf, owner } = record;
  if (isAlive(host, record)) return { subject: sbdf, sentence: leftAlone(record).sentence, steps: [] };
  if (record.bootId !== host.bootId) {
    return { subject: sbdf, sentence: `transaction ${id} is void: the host was restarted since.`, steps: [] };
  }
  return planned(sbdf, `process ${owner.pid}, which was killed, ${wish(kind)}.`, () => {
    requireSameCard(host, record);
    requireNoGuest(host, record);
    const device = devices.get(sbdf) ?? rehearsal.device(host.sysfs, parseSbdf(sbdf));
    devices.set(sbdf, device);
    const { store, toolstack } = rehearsal;
    const steps = planTransaction({ store, toolstack, sysfs: rehearsal.sysfs(host.sysfs) }, record, device);
    const begun = new Set(record.steps.map((step) => step.id));
    const wanted =
      kind === 'assignable-remove'
        ? steps.map((step) => ({ title: step.title, work: step.perform }))
        : steps
            .filter((step) => begun.has(step.id))
            .reverse()
            .map((step) => ({ title: `take back: ${step.title}`, work: () => step.restore?.() }));
    return wanted
      .map(({ title, work }) => ({ title, writes: rehearsal.writes(work) }))
      .filter(({ writes }) => writes.length > 0);
  });
}

function planDirtyLog(host: XenHost, domid: number): RecoveryPlan[] {
  const subject = `domain ${domid}`;
  const forgets = { title: 'forget the measurement', writes: [`rm ${runFile.dirtyLog(host.runDir, domid)}`] };
  const entry = (sentence: string, steps: readonly PlanStep[]) => [{ subject, sentence, steps }];
  try {
    const record = readDirtyLogRecord(host.runDir, domid);
    if (record === undefined) return [];
    const { pid } = record.owner;
    if (isOwnerAlive(host.processList, record.owner)) return entry(`it is being measured by process ${pid}.`, []);
    if (!isDomainAlive(host, record)) return entry(`what process ${pid} measured is gone.`, [forgets]);
    if (findSaver(host.processList, domid)) return entry('it is being saved or migrated.', [forgets]);
    const off = { title: 'switch dirty logging off', writes: [`xc_shadow_control domain ${domid}: OP_OFF`] };
    return entry(`process ${pid}, which had switched dirty logging on, is dead.`, [off, forgets]);
  } catch (error) {
    return entry(described(error), []);
  }
}

async function planDevices(host: XenHost, rehearsal: Rehearsal): Promise<RecoveryPlan[]> {
  const plans: RecoveryPlan[] = [];
  for (const domid of domainsWithFolder(host.runDir)) {
    if (host.toolstack.domainInfo(domid) === null) continue;
    try {
      const domain = findDomain(host, String(domid));
      const file = readGrants(host.runDir, domid);
      if (file !== undefined && file.handle !== domain.info.handle) continue;
      const devices = file?.devices ?? [];
      const cutOff = devices.filter(({ state }) => state !== 'attached');
      plans.push(...cutOff.map((record) => planTakingBack(host, rehearsal, domain, record)));
      const left = devices.filter(({ state, model }) => state === 'attached' && model !== 'qemu');
      if (left.length === 0 && cutOff.length === 0 && (await hasModel(host, domain))) {
        const steps = [{ title: 'end its device model', writes: [] }];
        plans.push({ subject: `domain ${domid}`, sentence: 'its device model has no device to serve.', steps });
      }
    } catch (error) {
      plans.push({ subject: `domain ${domid}`, sentence: described(error), steps: [] });
    }
  }
  return plans;
}

function planTakingBack(host: XenHost, rehearsal: Rehearsal, domain: Domain, record: GrantRecord): RecoveryPlan {
  const { sbdf, state } = record;
  const verb = state === 'attaching' ? 'attach' : 'detach';
  const sentence = `its ${verb} was cut off: it is taken back from domain ${domain.domid} (${domain.name}).`;
  const detached = { domain, record, sbdf: parseSbdf(sbdf), withoutGuest: false };
  return planned(sbdf, sentence, () => describeDetach(host, detached, rehearsal).steps);
}

async function hasModel(host: XenHost, { domid, info }: Domain): Promise<boolean> {
  const model = await host.connectModel(domid, info.handle);
  model?.close();
  return model !== null;
}

async function planRestarts(host: XenHost, rehearsal: Rehearsal): Promise<RecoveryPlan[]> {
  const plans: RecoveryPlan[] = [];
  for (const handle of listRestarts(host.runDir)) {
    try {
      const plan = await planRestart(host, rehearsal, handle);
      if (plan) plans.push(plan);
    } catch (error) {
      plans.push({ subject: handle, sentence: described(error), steps: [] });
    }
  }
  return plans;
}

async function planRestart(host: XenHost, rehearsal: Rehearsal, handle: string): Promise<RecoveryPlan | undefined> {
  const { runDir, processes, toolstack } = host;
  const record = readRestart(runDir, handle);
  if (record === undefined) return undefined;
  const { name: subject, devices } = record;
  const names = devices.map(({ sbdf }) => sbdf).join(', ');
  const holder = readHolder(runFile.restartLock(runDir, handle));
  if (holder !== undefined && processes.isAlive(holder)) {
    return { subject, sentence: `process ${holder} sees to it that it gets ${names} again.`, steps: [] };
  }
  const forgets = { title: 'forget the restart', writes: [`rm ${runFile.restart(runDir, handle)}`] };
  const domid = findRestarted(toolstack, record);
  if (domid === undefined) return { subject, sentence: 'it was not started again.', steps: [forgets] };
  const steps: PlanStep[] = [];
  const problems: string[] = [];
  for (const device of devices) {
    try {
      const { plan } = await checkAttach(host, attachOptionsOf(host, handle, domid, device), rehearsal);
      steps.push(...plan.steps.map(({ title, writes }) => ({ title: `${device.sbdf}: ${title}`, writes })));
    } catch (error) {
      problems.push(` ${device.sbdf} cannot be given: ${described(error)}`);
    }
  }
  const held = { title: 'hold the guest', writes: [`xc_domain_pause domain ${domid}`] };
  const goesOn = { title: 'let it go on', writes: [`xc_domain_unpause domain ${domid}`] };
  return {
    subject,
    sentence: `it is domain ${domid} since its restart, and gets ${names} again.${problems.join('')}`,
    steps: [held, ...steps, goesOn, ...(problems.length === 0 ? [forgets] : [])],
  };
}

function planForgetting(host: XenHost, rehearsal: Rehearsal, domid: number): RecoveryPlan[] {
  const { runDir, toolstack, store, sysfs, clock, processes } = host;
  const subject = `domain ${domid}`;
  let gone;
  try {
    gone = readForgotten(host, domid);
  } catch (error) {
    return [{ subject, sentence: described(error), steps: [] }];
  }
  if (gone === undefined) return [];
  const { handle, devices } = gone;
  const dead = { domid, handle, runDir, toolstack, store, sysfs, clock, processes };
  const rehearsed = { domid, store: rehearsal.store, toolstack: rehearsal.toolstack, sysfs: rehearsal.sysfs(sysfs) };
  const plan = planned(subject, 'it is gone, and nobody has cleaned up after it.', () => [
    ...devices
      .map(({ sbdf }) => parseSbdf(sbdf))
      .flatMap((sbdf, index) =>
        isLeft(dead, sbdf)
          ? releaseSteps(rehearsed, sbdf, () => rehearsed.sysfs.reset(sbdf)).map(([what, action]) => ({
              title: `${devices[index]?.sbdf ?? ''}: ${what}`,
              writes: rehearsal.writes(() => void action()),
            }))
          : [],
      )
      .filter(({ writes }) => writes.length > 0),
    { title: 'forget the domain', writes: [`rm -r ${domainDir(runDir, domid)}`] },
  ]);
  return [plan];
}

/** What stands in the way takes the place of the steps. */
function planned(subject: string, sentence: string, steps: () => readonly PlanStep[]): RecoveryPlan {
  try {
    return { subject, sentence, steps: steps() };
  } catch (error) {
    return { subject, sentence: `${sentence} Nothing can be done: ${described(error)}`, steps: [] };
  }
}

function described(error: unknown): string {
  const next = nextStepOf(error);
  return `${describeError(error)}.${next === undefined ? '' : ` ${next}`}`;
}
