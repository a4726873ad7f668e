import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { env, kill } from 'node:process';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { Clock } from './host.js';
import type { ModelClient } from './model-client.js';
import { connectModel, ModelGoneError } from './model-connection.js';
import { checkPrivate, domainDir, hasLeftState, runFile } from './run-dir.js';

/** Node alone takes 1.4 to 4 s to start in an emulated dom0; nothing but a hang takes this long. */
const START_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 100;
const LOG_TAIL_BYTES = 2048;

/**
 * What keeps a process small that lives as long as its guest and mostly waits. Measured in dom0 (Debian 13, Node 20, of
 * 75 MB resident, where Node alone takes 50): one arena for all 25 threads 6 MB, a young generation of 1 MiB 1 MB.
 */
const SMALL_PROCESS = {
  nodeOptions: ['--max-semi-space-size=1'],
  environment: { MALLOC_ARENA_MAX: '1' },
} as const;

/**
 * Starts the process again when it was killed and has left its state, which the next one goes on with: at once if it
 * had served, which it says on its standard output, else after longer and longer. A shell, because it takes 1 MB where
 * another Node would take 50.
 */
const SUPERVISOR = `
state=$1; shift
failed=0
for restart in $(seq 1000); do
  served=$("$@") && exit 0
  [ -e "$state.a" ] || exit 1
  failed=$((failed + 1))
  [ "$served" ] && failed=0
  [ $failed -lt 8 ] || break
  echo "the process of the device model has died; it is started again ($restart)" >&2
  sleep $((failed * failed)).1
done
echo "the process of the device model is not started again:" \\
  "it died $failed times in a row before it served, and $restart times in all" >&2
exit 1`;

export interface SpawnModelOptions {
  readonly domid: number;
  readonly handle: string;
  readonly runDir: string;
  readonly logDir: string;
  readonly sysroot: string;
  readonly nodePath: string;
  /** The file that the process runs. */
  readonly mainPath: string;
  readonly clock: Clock;
}

/** What the model process is told, as its only argument in JSON. */
export interface ModelArguments {
  readonly domid: number;
  readonly handle: string;
  readonly runDir: string;
  readonly sysroot: string;
}

/**
 * Connects to a guest's model and makes sure that it serves the domain that is meant; null if none listens.
 *
 * @throws XenOperationError XENPT_LOCKED if the model of an earlier domain with the same id is still ending.
 */
export async function connectToDomain(runDir: string, domid: number, handle: string): Promise<ModelClient | null> {
  const model = await connectModel(runFile.socket(runDir, domid));
  if (!model) return null;
  // Whoever can replace the folder can answer in the model's place.
  checkPrivate(domainDir(runDir, domid));
  const status = await model.status();
  if (status.handle === handle) return model;
  model.close();
  throw new XenOperationError(
    XenErrorCode.locked,
    `the device model of an earlier domain with the id ${domid} has not ended yet`,
    { next: `Wait a moment; if it stays, end the process named in ${runFile.modelLock(runDir, domid)}.` },
  );
}

/**
 * The same, and if the model was killed, waits for the process that goes on, or starts it when nobody else does.
 *
 * @throws as {@link connectToDomain} and {@link spawnModel}
 */
export async function connectToModel(options: SpawnModelOptions): Promise<ModelClient | null> {
  const { runDir, domid, handle, clock } = options;
  const deadline = clock.now() + START_TIMEOUT_MS;
  for (;;) {
    const model = await connectUnlessKilled(runDir, domid, handle);
    if (model || !hasLeftState(runDir, domid, handle)) return model;
    if (clock.now() >= deadline) return spawnModel(options);
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

async function connectUnlessKilled(runDir: string, domid: number, handle: string): Promise<ModelClient | null> {
  try {
    return await connectToDomain(runDir, domid, handle);
  } catch (error) {
    if (error instanceof ModelGoneError) return null;
    throw error;
  }
}

/**
 * Starts a guest's model in a session of its own, so that it outlives this command, and waits until it answers.
 *
 * @throws XenOperationError XENPT_MODEL_FAILED with the end of its log, XENPT_MODEL_TIMEOUT
 */
export async function spawnModel(options: SpawnModelOptions): Promise<ModelClient> {
  const { domid, handle, runDir, sysroot, logDir, clock } = options;
  mkdirSync(logDir, { recursive: true, mode: 0o700 });
  const logPath = join(logDir, `domain-${domid}.log`);
  const log = openSync(
    logPath,
    constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    const start = fstatSync(log).size;
    const argument: ModelArguments = { domid, handle, runDir, sysroot };
    const program = [options.nodePath, ...SMALL_PROCESS.nodeOptions, options.mainPath, JSON.stringify(argument)];
    const words = ['-c', SUPERVISOR, 'xenpt-model', runFile.modelState(runDir, domid, handle), ...program];
    const child = spawn('/bin/sh', words, {
      cwd: '/',
      env: { ...env, ...SMALL_PROCESS.environment },
      detached: true,
      stdio: ['ignore', log, log],
    });
    const failure = () => startFailed(domid, logPath, readTail(log, start));
    const model = await waitUntilReady(options, child, clock.now() + START_TIMEOUT_MS, failure);
    child.unref();
    return model;
  } finally {
    closeSync(log);
  }
}

async function waitUntilReady(
  { runDir, domid, handle, clock }: SpawnModelOptions,
  child: ChildProcess,
  deadline: number,
  failure: () => XenOperationError,
): Promise<ModelClient> {
  let ended: Error | undefined;
  child.once('error', (error) => (ended = error));
  child.once('exit', (code, signal) => (ended ??= new Error(`it ended with ${signal ?? `exit code ${code}`}`)));
  while (clock.now() < deadline) {
    if (ended) throw failure();
    const model = await connectUnlessKilled(runDir, domid, handle);
    if (model) return model;
    await clock.sleep(POLL_INTERVAL_MS);
  }
  // Nobody else knows of this process: leaving it would leave an ioreq server that answers nothing.
  killGroup(child);
  throw new XenOperationError(
    XenErrorCode.modelTimeout,
    `the device model of domain ${domid} did not answer within ${START_TIMEOUT_MS / 1000} s`,
    { cause: failure(), next: 'Look into its log in /var/log/xenpt, and whether dom0 is short of memory.' },
  );
}

/** The shell that restarts it is one of them. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) kill(-pid, 'SIGKILL');
  } catch (error) {
    if (errnoName(error) !== 'ESRCH') throw error;
  }
}

function startFailed(domid: number, logPath: string, tail: string): XenOperationError {
  // The stack of an error is for whoever opens the log.
  const lines = tail
    .split('\n')
    .filter((line) => !/^\s+at /.test(line))
    .join('\n')
    .trim();
  const ending = lines === '' ? '' : `; the end of its log:\n${lines}`;
  return new XenOperationError(
    XenErrorCode.modelFailed,
    `the device model of domain ${domid} ended while it started${ending}`,
    { next: `The whole log is in ${logPath}.` },
  );
}

/** The last lines that were written since `start`. */
function readTail(log: number, start: number): string {
  const { size } = fstatSync(log);
  const from = Math.max(start, size - LOG_TAIL_BYTES);
  const buffer = Buffer.alloc(size - from);
  const count = readSync(log, buffer, 0, buffer.length, from);
  return buffer.subarray(0, count).toString('utf8');
}
