import { readFileSync, rmSync } from 'node:fs';
import { parseSbdf } from '@xenpt/pci';
import type { SettledOptions } from './attach-options.js';
import { describeError, XenErrorCode, XenOperationError } from './errors.js';
import type { DomainInfo } from './host.js';
import { readGrants } from './grants.js';
import { readInUse } from './in-use.js';
import { tryLock } from './lock.js';
import type { AttachedFunction, FunctionView, ModelStatus } from './model-client.js';
import { type AttachParams, encodeView, type ModelRequest } from './model-protocol.js';
import { EjectWatch } from './eject-watch.js';
import { serveControl } from './model-server.js';
import { PendingRestart, type PendingRestartOptions } from './pending-restart.js';
import { type DomainResources, releaseAfterDeath } from './release-after-death.js';
import { hasLeftState, makeDomainDir, removeDomainDir, runFile } from './run-dir.js';

/** Both ends of a domain's life are announced by this watch of xenstored (docs/misc/xenstore.txt). */
const RELEASE_WATCH = '@releaseDomain';
/** libxl removes its nodes before it destroys the domain; this is for a toolstack that does it the other way round. */
const TOOLSTACK_GRACE_MS = 10_000;
const POLL_INTERVAL_MS = 250;
/** Beside the watch, in case xenstored is lost. */
const STATE_POLL_INTERVAL_MS = 5_000;
/** A command that waits for an eject asks ten times a second, and connects again when its model was killed. */
const EJECT_GRACE_MS = 30_000;

/** Whoever starts one that stands by ends the other at once. */
const STANDBY_TIMEOUT_MS = 30_000;
/** The guest waits for as long. */
const STANDBY_INTERVAL_MS = 5;

/** The device model of one guest, as `DeviceModel` of `@xenpt/device-model` implements it. */
export interface GuestModel {
  attach(options: { sbdf: string; guestDevfn: number; sysroot?: string } & SettledOptions): Promise<AttachedFunction>;
  detach(sbdf: string): Promise<void>;
  view(sbdf: string): Promise<FunctionView>;
  status(): Omit<ModelStatus, 'handle' | 'process'>;
  expectEjects(passedOn: number): Promise<number>;
  ignoreEjects(): Promise<void>;
  /** Lets go of everything on our side; nothing is asked of the dead domain. */
  domainDied(): Promise<void>;
  close(): Promise<void>;
  /** Settles when the model ended by itself, with the reason. */
  readonly onExit: Promise<{ readonly error: Error | null }>;
}

export interface ServeDomainOptions extends DomainResources, PendingRestartOptions {
  readonly startModel: (options: { domid: number; vcpuCount: number; statePath: string }) => Promise<GuestModel>;
  /** Waits for the model at work to end, and goes on in its place. */
  readonly standby?: boolean;
  /** Told when the guest and commands are answered. */
  readonly onServing: () => void;
  /** Of this program, and when its process was started, in milliseconds since 1970. */
  readonly version: string;
  readonly startedAtMs: number;
}

/** Why the process may end: it was asked to, its guest is gone, or the model failed under it. */
export type ServeEnd = 'shutdown' | 'domain-gone' | 'model-failed';

/**
 * The life of a guest's device model process: one model, one control socket, until the last device is detached or the
 * domain is gone.
 *
 * @throws XenOperationError XENPT_LOCKED if the guest has a model already, XENPT_NO_SUCH_DOMAIN if it is not the domain
 * that was meant.
 */
export async function serveDomain(options: ServeDomainOptions): Promise<ServeEnd> {
  const { domid, runDir, processes, handle } = options;
  const info = hasLeftState(runDir, domid, handle) && !isOurs(options) ? null : expectDomain(options);
  makeDomainDir(runDir, domid);
  const path = runFile.modelLock(runDir, domid);
  const lock = options.standby ? await lockAfterOther(options) : tryLock(path, processes);
  if (!lock) {
    throw new XenOperationError(XenErrorCode.locked, `domain ${domid} has a device model already`, {
      next: `See the process id in ${path}.`,
    });
  }
  try {
    if (info !== null) return await serve(options, info);
    options.log(`domain ${domid} (${handle}) has ended while it had no device model`);
    await attempt(options, 'clean up after the domain', () => forgetDomain(options));
    const restart = new PendingRestart(options);
    restart.resume();
    await restart.finish();
    removeOwnDir(options);
    return 'domain-gone';
  } finally {
    lock.release();
  }
}

/** Undefined if the other one does not end, or if somebody else waits for that already. */
async function lockAfterOther({ domid, runDir, processes, clock, log }: ServeDomainOptions) {
  const standby = tryLock(runFile.standbyLock(runDir, domid), processes);
  if (!standby) return undefined;
  log('standing by to go on for the model at work');
  try {
    const deadline = clock.now() + STANDBY_TIMEOUT_MS;
    for (;;) {
      const lock = tryLock(runFile.modelLock(runDir, domid), processes);
      if (lock || clock.now() >= deadline) return lock;
      await clock.sleep(STANDBY_INTERVAL_MS);
    }
  } finally {
    standby.release();
  }
}

async function serve(options: ServeDomainOptions, info: DomainInfo): Promise<ServeEnd> {
  const { domid, runDir, log } = options;
  const socketPath = runFile.socket(runDir, domid);
  const statePath = runFile.modelState(runDir, domid, options.handle);
  const tookOver = hasLeftState(runDir, domid, options.handle);
  const model = await options.startModel({ domid, vcpuCount: info.maxVcpuId + 1, statePath });
  let shutdown = () => {};
  const asked = new Promise<ServeEnd>((resolve) => (shutdown = () => resolve('shutdown')));
  const failed = model.onExit.then(({ error }): ServeEnd => {
    log(`the model ended: ${describeError(error ?? 'without a reason')}`);
    return 'model-failed';
  });
  const restart = new PendingRestart(options);
  const death = watchForDeath(options, restart);
  const ejects = new EjectWatch(model, log);
  if (tookOver) ejects.goOn(AbortSignal.timeout(EJECT_GRACE_MS));
  const control = await serveControl(socketPath, (request, closed) => {
    if (request.method === 'expectEjects') return ejects.expect(request.params.passedOn, closed);
    return answer(options, model, request, shutdown);
  });
  log(`${tookOver ? 'going on with' : 'serving'} domain ${domid} (${options.handle})`);
  options.onServing();
  const end = await Promise.race([asked, failed, death.gone]);
  death.close();
  log(`ending: ${end}`);
  if (end === 'domain-gone') {
    await attempt(options, 'let go of the domain', () => model.domainDied());
    await attempt(options, 'clean up after the domain', () => forgetDomain(options));
  }
  await attempt(options, 'close the model', () => model.close());
  rmSync(socketPath, { force: true });
  await control.close();
  // The state stays until then, so that a process that is killed is started again.
  await attempt(options, 'restart', () => (end === 'domain-gone' ? restart.finish() : restart.cancel()));
  if (end === 'domain-gone') removeOwnDir(options);
  return end;
}

function removeOwnDir({ runDir, domid, handle }: ServeDomainOptions): void {
  if (readGrants(runDir, domid)?.handle === handle) removeDomainDir(runDir, domid);
}

/** At the end of its life the process goes on whatever fails: nobody else would do the rest. */
async function attempt({ log }: ServeDomainOptions, what: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    log(`${what}: ${describeError(error)}`);
  }
}

/** Comes ten times a second while a guest is asked to eject: the watch logs what changes, not each of them. */
type EjectRequest = Extract<ModelRequest, { readonly method: 'expectEjects' }>;

async function answer(
  options: ServeDomainOptions,
  model: GuestModel,
  request: Exclude<ModelRequest, EjectRequest>,
  shutdown: () => void,
): Promise<unknown> {
  const { method, params } = request;
  if (method !== 'status') options.log(`${method} ${JSON.stringify(params)}`);
  switch (method) {
    case 'attach':
      return model.attach(attachRequest(options, params));
    case 'detach':
      return model.detach(params.sbdf);
    case 'view':
      return encodeView(await model.view(params.sbdf));
    case 'status':
      return { ...model.status(), handle: options.handle, process: processOf(options) };
    case 'shutdown':
      return shutdown();
  }
}

function processOf({ processes, version, startedAtMs }: ServeDomainOptions): ModelStatus['process'] {
  return { pid: processes.pid, version, startedAtMs };
}

function attachRequest({ runDir, domid, sysfs }: ServeDomainOptions, { rom, ...params }: AttachParams) {
  return {
    ...params,
    ...(sysfs.root === '' ? {} : { sysroot: sysfs.root }),
    ...(rom === 'off' ? { expansionRom: false } : {}),
    ...(rom === 'file' ? { romImage: new Uint8Array(readFileSync(runFile.rom(runDir, domid))) } : {}),
  };
}

/** Every released domain wakes us; only the state of our own, asked of Xen, counts. */
function watchForDeath(
  options: ServeDomainOptions,
  restart: PendingRestart,
): { readonly gone: Promise<ServeEnd>; close(): void } {
  let resolveGone: (end: ServeEnd) => void = () => {};
  const gone = new Promise<ServeEnd>((resolve) => (resolveGone = resolve));
  const check = () => {
    try {
      const info = ownInfo(options);
      if (info) restart.look(info);
      if (!info || info.flags.dying) resolveGone('domain-gone');
    } catch (error) {
      // Xen that cannot be asked now is asked again at the next event; it is never taken for a death.
      options.log(`the state of the domain is unknown: ${describeError(error)}`);
    }
  };
  const watch = options.store.watch(RELEASE_WATCH, `xenpt-${options.domid}`, check);
  // xenstored may go away for good; the guest must neither lose its model then nor keep it after its own end.
  const timer = setInterval(check, STATE_POLL_INTERVAL_MS);
  check();
  return {
    gone,
    close: () => {
      clearInterval(timer);
      watch.close();
    },
  };
}

function isOurs(options: ServeDomainOptions): boolean {
  return ownInfo(options)?.flags.dying === false;
}

/** Null when the domain is gone, also when another has its id. */
function ownInfo({ toolstack, domid, handle }: ServeDomainOptions): DomainInfo | null {
  const info = toolstack.domainInfo(domid);
  return info?.handle === handle ? info : null;
}

function expectDomain(options: ServeDomainOptions): DomainInfo {
  const info = options.toolstack.domainInfo(options.domid);
  if (info && info.handle === options.handle && !info.flags.dying) return info;
  throw new XenOperationError(
    XenErrorCode.noSuchDomain,
    `domain ${options.domid} is not (or no longer) the domain ${options.handle}`,
    { next: 'Look at `xl list` and run the command again.' },
  );
}

/** Waits for the toolstack to clean up after its domain, then removes what is left of ours. */
async function forgetDomain(options: ServeDomainOptions): Promise<void> {
  const { domid, handle, runDir, store, clock, log } = options;
  const file = readGrants(runDir, domid);
  if (!file || file.handle !== handle) return;
  const devices = file.devices.map(({ sbdf }) => parseSbdf(sbdf));
  const deadline = clock.now() + TOOLSTACK_GRACE_MS;
  while (devices.some((sbdf) => readInUse(store, sbdf) === domid) && clock.now() < deadline) {
    await clock.sleep(POLL_INTERVAL_MS);
  }
  for (const leftover of await releaseAfterDeath(options, devices)) log(leftover);
}
