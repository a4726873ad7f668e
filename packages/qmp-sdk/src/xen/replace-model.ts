import { kill, pid as ownPid } from 'node:process';
import { describeError, XenErrorCode, XenOperationError } from './errors.js';
import type { ProcessList } from './host.js';
import { readHolder } from './lock.js';
import type { ModelClient } from './model-client.js';
import { modelNotRunning, readModelProcess } from './model-state.js';
import { runFile } from './run-dir.js';
import type { ModelService } from './service-model.js';
import {
  connectUnlessKilled,
  killGroup,
  type SpawnModelOptions,
  STANDBY,
  startProgram,
  type StartedProgram,
  waitForProgram,
} from './spawn-model.js';

export interface ReplaceModelOptions extends SpawnModelOptions {
  readonly processList: Pick<ProcessList, 'state' | 'group'>;
}

export interface Replaced {
  readonly model: ModelClient;
  /** From the end of the old process to the first answer of the new one. */
  readonly pauseMs: number;
}

/** The guest stands still meanwhile. */
const ANSWER_INTERVAL_MS = 5;
const ANSWER_TIMEOUT_MS = 60_000;

/**
 * Has a process of the program that is installed now go on for the one at work. The new one is there, has loaded
 * everything and has read the state before the old one is ended: the guest waits for neither.
 *
 *     new:  start, load, read the state, hold standby.pid ........ model.pid is free: take over
 *     here:                              standby.pid is held: kill the old one and its shell
 *
 * @throws XenOperationError XENPT_UPGRADE_REFUSED: the new one cannot go on, the old one does. XENPT_MODEL_NOT_RUNNING;
 * XENPT_MODEL_TIMEOUT
 */
export async function replaceModel(options: ReplaceModelOptions): Promise<Replaced> {
  const { runDir, domid, clock } = options;
  const old = readModelProcess(options, domid);
  if (old === null) throw modelNotRunning(domid);
  const { service } = options;
  const isUnit = service !== undefined && (await service.runs(domid, old.pid));
  const end = isUnit ? await afterCheck(options, service) : await withStandby(options, old.pid);
  const start = clock.now();
  await end();
  const model = await firstAnswer(options);
  const pauseMs = clock.now() - start;
  const now = readHolder(runFile.modelLock(runDir, domid));
  if (now !== old.pid) return { model, pauseMs };
  model.close();
  throw new XenOperationError(XenErrorCode.modelFailed, `process ${old.pid} could not be ended`, {
    next: `End it by hand: kill -KILL ${old.pid}`,
  });
}

/** @returns what ends the process at work */
async function withStandby(options: ReplaceModelOptions, pid: number): Promise<() => Promise<void>> {
  const started = startProgram(options, STANDBY);
  await standsBy(options, started);
  started.child.unref();
  return () => Promise.resolve(endModel(pid, options.processList));
}

/** systemd starts the new one once the old one has ended; only the state can be looked at before. */
async function afterCheck(options: ReplaceModelOptions, service: ModelService): Promise<() => Promise<void>> {
  const { checkModelState } = await import('@xenpt/device-model/client');
  try {
    checkModelState(runFile.modelState(options.runDir, options.domid, options.handle));
  } catch (cause) {
    throw refused(options.domid, cause);
  }
  return () => service.restart(options);
}

async function standsBy(options: ReplaceModelOptions, started: StartedProgram): Promise<void> {
  const lock = runFile.standbyLock(options.runDir, options.domid);
  const isThere = () => {
    const pid = readHolder(lock);
    return Promise.resolve(pid !== undefined && options.processList.state(pid) !== null ? pid : null);
  };
  try {
    await waitForProgram(options, started, isThere);
  } catch (cause) {
    killGroup(started.child);
    throw refused(options.domid, cause);
  }
}

function refused(domid: number, cause: unknown): XenOperationError {
  return new XenOperationError(
    XenErrorCode.upgradeRefused,
    `the installed version cannot go on for domain ${domid}, and the model at work goes on: ${describeError(cause)}`,
    { cause, next: 'Nothing was changed. Install a version that reads its state, or leave the model as it is.' },
  );
}

/** With the shell that would start it again, which leads its process group. */
function endModel(pid: number, processList: ReplaceModelOptions['processList']): void {
  const group = processList.group(pid);
  const isAlone = group === null || group === pid || group === processList.group(ownPid);
  if (isAlone) kill(pid, 'SIGKILL');
  else killGroup({ pid: group });
}

async function firstAnswer(options: ReplaceModelOptions): Promise<ModelClient> {
  const { clock, domid } = options;
  const deadline = clock.now() + ANSWER_TIMEOUT_MS;
  for (;;) {
    const model = await connectUnlessKilled(options);
    if (model) return model;
    if (clock.now() >= deadline) break;
    await clock.sleep(ANSWER_INTERVAL_MS);
  }
  throw new XenOperationError(
    XenErrorCode.modelTimeout,
    `the new device model of domain ${domid} did not answer within ${ANSWER_TIMEOUT_MS / 1000} s; it goes on trying`,
    { outcome: 'incomplete', next: `Look into its log in ${options.logDir}.` },
  );
}
