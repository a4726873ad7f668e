import { existsSync, readFileSync } from 'node:fs';
import { attach, type AttachOptions } from './attach.js';
import type { DeviceOptions } from './attach-options.js';
import { describeError, nextStepOf, XenErrorCode, XenOperationError } from './errors.js';
import type { Toolstack, XenHost } from './host.js';
import { tryLock } from './lock.js';
import { storePath } from './paths.js';
import {
  readRestart,
  removeRestart,
  type RestartDevice,
  type RestartFailure,
  type RestartRecord,
  writeRestart,
} from './restart-record.js';
import { runFile } from './run-dir.js';

/** `xl` destroys, sleeps for 2 s and builds the domain anew; a large guest's memory takes its time. */
export const RESTART_TIMEOUT_MS = 120_000;
/** From a domain that exists to a QEMU that answers. */
const MONITOR_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 100;

export interface RestartOptions {
  /** The devices have been taken from the domain that ended. */
  readonly released: Promise<void>;
  readonly signal: AbortSignal;
  /** How long the domain is waited for; default {@link RESTART_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  readonly log: (line: string) => void;
}

/**
 * - `given`: the guest has everything again.
 * - `failed`: something not; the record says what and why.
 * - `not-restarted`: no domain with that UUID came; the devices are free.
 * - `owner-alive`: another process is at it.
 * - `nothing`: no restart is recorded.
 */
export type RestartOutcome = 'given' | 'failed' | 'not-restarted' | 'owner-alive' | 'nothing';

/**
 * Gives a guest that was restarted what it had before, in the same slots: waits for the domain with its UUID, pauses it
 * as soon as it exists, so that its firmware finds the devices, and attaches each, a reset included.
 *
 *     ended domain   shuts down ─ record ─ destroyed ─ devices reset, in quarantine ─────┐
 *     new domain                   (toolstack)  created ─ paused by us ─ QEMU answers ─ attach … ─ unpaused by us
 *
 * Xen counts pauses, so ours adds to the toolstack's, which creates a domain paused and unpauses it when it is built.
 */
export async function giveAgain(host: XenHost, handle: string, options: RestartOptions): Promise<RestartOutcome> {
  const { runDir } = host;
  if (!existsSync(runFile.restart(runDir, handle))) return 'nothing';
  const lock = tryLock(runFile.restartLock(runDir, handle), host.processes);
  if (!lock) return 'owner-alive';
  try {
    const record = readRestart(runDir, handle);
    if (!record) return 'nothing';
    const domid = await waitForDomain(host, record, options);
    if (domid !== undefined) return await giveTo(host, record, domid, options);
    removeRestart(runDir, handle);
    options.log(`${record.name} was not started again: ${listOf(record.devices)} stay without a guest`);
    return 'not-restarted';
  } finally {
    lock.release();
  }
}

async function giveTo(
  host: XenHost,
  before: RestartRecord,
  domid: number,
  { released, log }: RestartOptions,
): Promise<RestartOutcome> {
  log(`${before.name} is domain ${domid} now, and gets ${listOf(before.devices)} again`);
  const record = hold(host, before, domid, log);
  let left = withoutHold(record);
  try {
    await released;
    await waitForMonitor(host, domid);
    const failures: RestartFailure[] = [];
    for (const device of record.devices) {
      const failure = await attachAgain(host, record, domid, device);
      log(failure ? `${device.sbdf}: ${failure.sentence}` : `${device.sbdf} is attached to domain ${domid} again`);
      if (failure) failures.push(failure);
    }
    const devices = record.devices.filter(({ sbdf }) => failures.some((failure) => failure.sbdf === sbdf));
    left = { ...left, devices, failures };
    return failures.length === 0 ? 'given' : 'failed';
  } finally {
    letGo(host, record, log);
    writeRestart(host.runDir, left);
  }
}

async function waitForDomain(
  host: XenHost,
  record: RestartRecord,
  { signal, timeoutMs = RESTART_TIMEOUT_MS }: RestartOptions,
): Promise<number | undefined> {
  const { toolstack, clock } = host;
  const find = () => findRestarted(toolstack, record);
  const deadline = clock.now() + timeoutMs;
  for (;;) {
    const found = find();
    if (found !== undefined || signal.aborted || clock.now() >= deadline) return found;
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

/** The domain that a guest is after its restart; undefined while it is not there. */
export function findRestarted(
  toolstack: Pick<Toolstack, 'domainList'>,
  record: Pick<RestartRecord, 'handle' | 'domid'>,
): number | undefined {
  return toolstack
    .domainList()
    .find(({ domid, handle, flags }) => handle === record.handle && domid !== record.domid && !flags.dying)?.domid;
}

/** A domain that cannot be paused gets its devices while it runs. */
function hold(host: XenHost, record: RestartRecord, domid: number, log: RestartOptions['log']): RestartRecord {
  const { runDir, toolstack } = host;
  if (record.held?.domid === domid) {
    if (record.held.state === 'paused') return record;
    log(`domain ${domid} may be paused by a process that was killed: if it does not run, xl unpause ${domid}`);
    return withoutHold(record);
  }
  writeRestart(runDir, { ...record, held: { domid, state: 'pausing' } });
  try {
    toolstack.pause(domid);
  } catch (error) {
    log(`domain ${domid} is not held: ${describeError(error)}`);
    return withoutHold(record);
  }
  const held = { ...record, held: { domid, state: 'paused' as const } };
  writeRestart(runDir, held);
  return held;
}

function withoutHold({ handle, name, domid, devices, failures }: RestartRecord): RestartRecord {
  return { handle, name, domid, devices, failures };
}

function letGo({ toolstack }: XenHost, { handle, held }: RestartRecord, log: RestartOptions['log']): void {
  if (!held || toolstack.domainInfo(held.domid)?.handle !== handle) return;
  try {
    toolstack.unpause(held.domid);
  } catch (error) {
    log(`domain ${held.domid} stays paused: ${describeError(error)}; xl unpause ${held.domid}`);
  }
}

/** Until its QEMU can plug and tell the guest. A guest without one gets its devices all the same. */
async function waitForMonitor({ store, monitors, toolstack, clock }: XenHost, domid: number): Promise<void> {
  const deadline = clock.now() + MONITOR_TIMEOUT_MS;
  const isUp = () =>
    store.read(storePath.deviceModelState(domid)) === 'running' && existsSync(monitors.control(domid));
  while (!isUp() && clock.now() < deadline && toolstack.domainInfo(domid) !== null) {
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

async function attachAgain(
  host: XenHost,
  { handle, name }: RestartRecord,
  domid: number,
  device: RestartDevice,
): Promise<RestartFailure | undefined> {
  const { sbdf } = device;
  const options = attachOptionsOf(host, handle, domid, device);
  try {
    await attach(host, options);
    return undefined;
  } catch (error) {
    if (error instanceof XenOperationError && error.code === XenErrorCode.alreadyAttached) return undefined;
    const sentence = `not given to ${name} (domain ${domid}) again after its restart: ${describeError(error)}`;
    return { sbdf, sentence, next: nextStepOf(error) ?? `Run: xenpt attach ${domid} ${options.spec}` };
  }
}

/** How a device is given to a guest again. */
export function attachOptionsOf(host: XenHost, handle: string, domid: number, device: RestartDevice): AttachOptions {
  const { sbdf, guestDevfn, overrides = [] } = device;
  const spec = `${sbdf}@${(guestDevfn >> 3).toString(16)}`;
  return { domain: String(domid), spec, overrides, ...optionsOf(host, handle, device) };
}

function optionsOf({ runDir }: XenHost, handle: string, { sbdf, options }: RestartDevice): DeviceOptions {
  const { permissive = false, allow = [], rom, rdmPolicy = 'strict' } = options ?? {};
  if (rom === undefined) return { permissive, allow, rdmPolicy };
  const given = rom === 'file' ? new Uint8Array(readFileSync(runFile.restartRom(runDir, handle, sbdf))) : rom;
  return { permissive, allow, rdmPolicy, rom: given };
}

function listOf(devices: readonly RestartDevice[]): string {
  return devices.map(({ sbdf }) => sbdf).join(', ');
}
