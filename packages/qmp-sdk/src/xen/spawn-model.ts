import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { env, kill } from 'node:process';
import { compileCache } from './compile-cache.js';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { Clock, ProcessList } from './host.js';
import type { ModelClient } from './model-client.js';
import { connectModel, ModelGoneError } from './model-connection.js';
import { readModelProcess } from './model-state.js';
import { checkPrivate, domainDir, hasLeftState, runFile } from './run-dir.js';
import type { ModelService } from './service-model.js';

/** Node alone takes 0.7 to 5 s to start in an emulated dom0, where a start took a minute beside other work. */
export const START_TIMEOUT_MS = 120_000;
/** To look takes 0.1 ms, of a program that somebody waits for. */
const POLL_INTERVAL_MS = 20;
const LOG_TAIL_BYTES = 2048;

/**
 * What keeps a process small that lives as long as its guest and mostly waits. Measured in dom0 (Debian 13, Node 20, of
 * 75 MB resident, where Node alone takes 50): one arena for all 25 threads 6 MB.
 *
 * No option of V8, whatever it would save: with one that differs from those that Node was built with, V8 rejects the
 * compiled code that Node carries of its own modules, and compiles them anew in both threads. Measured with
 * `--max-semi-space-size=1`, of the process's start beyond Node's own: 153 ms of processor instead of 91 (Node 22).
 */
export const SMALL_PROCESS = { environment: { MALLOC_ARENA_MAX: '1' } } as const;

/**
 * The word that has a model process load everything, make sure that it can go on with the state, and wait until the
 * model at work has ended.
 */
export const STANDBY = 'standby';

/** With this a model process says that to start it again would be in vain. */
export const NOTHING_TO_GO_ON_WITH = 2;

/**
 * Starts the process again when it was killed and has left its state, which the next one goes on with: at once if it
 * had served, which it says on its standard output, else after longer and longer. Beside that it looks every 5 s
 * whether the process is stopped, which that cannot say itself. A shell, because it takes 1 MB where another Node would
 * take 50.
 */
const SUPERVISOR = `
state=$1; lock=$2; once=$3; shift 3
watch() {
  told=
  while sleep 5 && kill -0 $$ 2>/dev/null; do
    pid=; [ -e "$lock" ] && read -r pid <"$lock"
    stat=; [ -e "/proc/\${pid:-none}/stat" ] && read -r stat <"/proc/$pid/stat"
    rest=\${stat##*) }
    case $rest in
      [Tt]*) [ "$told" = "$pid" ] || echo "the process $pid of the device model is stopped, and the guest with it:" \
        "kill -CONT $pid lets it go on, kill -KILL $pid has another one go on in its place" >&2
        told=$pid ;;
      *) told= ;;
    esac
  done
}
watch &
trap "kill $! 2>/dev/null" EXIT
failed=0
restart=0
while [ $restart -lt 1000 ]; do
  restart=$((restart + 1))
  served=$("$@" $once) && exit 0
  [ $? -ne ${NOTHING_TO_GO_ON_WITH} ] && [ -e "$state.a" ] || exit 1
  failed=$((failed + 1))
  [ "$served" ] && failed=0
  once=
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
  /** For compiled code; default: none is kept. */
  readonly cacheDir?: string;
  readonly nodePath: string;
  /** The file that the process runs. */
  readonly mainPath: string;
  readonly clock: Clock;
  readonly processList: Pick<ProcessList, 'state'>;
  /** Starts and restarts it instead of us. */
  readonly service?: ModelService | undefined;
}

/** What the model process is told: in JSON as its first argument, or in the file that is named there. */
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
export async function connectToDomain(
  { runDir, processList }: Pick<SpawnModelOptions, 'runDir' | 'processList'>,
  domid: number,
  handle: string,
): Promise<ModelClient | null> {
  const look = () => readModelProcess({ runDir, processList }, domid);
  const model = await connectModel(runFile.socket(runDir, domid), look);
  if (!model) return null;
  try {
    // Whoever can replace the folder can answer in the model's place.
    checkPrivate(domainDir(runDir, domid));
    const status = await model.status();
    if (status.handle === handle) return model;
    throw new XenOperationError(
      XenErrorCode.locked,
      `the device model of an earlier domain with the id ${domid} has not ended yet`,
      { next: `Wait a moment; if it stays, end the process named in ${runFile.modelLock(runDir, domid)}.` },
    );
  } catch (error) {
    // A process that is stopped would keep the connection, and that this program, for ever.
    model.close();
    throw error;
  }
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
    const model = await connectUnlessKilled(options);
    if (model || !hasLeftState(runDir, domid, handle)) return model;
    if (clock.now() >= deadline) return spawnModel(options);
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

/** Null also for one that is killed while it is asked. */
export async function connectUnlessKilled(options: SpawnModelOptions): Promise<ModelClient | null> {
  try {
    return await connectToDomain(options, options.domid, options.handle);
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
  if (options.service) return options.service.start(options, () => connectUnlessKilled(options));
  const started = startProgram(options, '');
  const model = await waitUntilReady(options, started);
  started.child.unref();
  return model;
}

export interface StartedProgram {
  /** The shell that starts the process and restarts it; leader of a process group that both are in. */
  readonly child: ChildProcess;
  /** An error with what it has written since. */
  readonly failure: () => XenOperationError;
}

/**
 * In a session of its own.
 *
 * @param once a word for its first process alone
 */
export function startProgram(options: SpawnModelOptions, once: '' | typeof STANDBY): StartedProgram {
  const { domid, handle, runDir, sysroot, logDir, cacheDir } = options;
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
    const program = [options.nodePath, options.mainPath, JSON.stringify(argument)];
    const files = [runFile.modelState(runDir, domid, handle), runFile.modelLock(runDir, domid)];
    const child = spawn('/bin/sh', ['-c', SUPERVISOR, 'xenpt-model', ...files, once, ...program], {
      cwd: '/',
      env: { ...env, ...SMALL_PROCESS.environment, ...compileCache(cacheDir) },
      detached: true,
      stdio: ['ignore', log, log],
    });
    return { child, failure: () => startFailed(domid, logPath, readTail(logPath, start)) };
  } finally {
    closeSync(log);
  }
}

function waitUntilReady(options: SpawnModelOptions, started: StartedProgram): Promise<ModelClient> {
  return waitForProgram(options, started, () => connectUnlessKilled(options));
}

/** Asks again and again until there is an answer; ends what was started when none comes. */
export async function waitForProgram<T>(
  { domid, clock }: Pick<SpawnModelOptions, 'domid' | 'clock'>,
  { child, failure }: StartedProgram,
  ask: () => Promise<T | null>,
): Promise<T> {
  let ended: Error | undefined;
  child.once('error', (error) => (ended = error));
  child.once('exit', (code, signal) => (ended ??= new Error(`it ended with ${signal ?? `exit code ${code}`}`)));
  const deadline = clock.now() + START_TIMEOUT_MS;
  while (clock.now() < deadline) {
    if (ended) throw failure();
    const answer = await ask();
    if (answer !== null) return answer;
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
export function killGroup({ pid }: { readonly pid?: number | undefined }): void {
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
function readTail(path: string, start: number): string {
  const log = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = fstatSync(log);
    const from = Math.max(start, size - LOG_TAIL_BYTES);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    const count = readSync(log, buffer, 0, buffer.length, from);
    return buffer.subarray(0, count).toString('utf8');
  } finally {
    closeSync(log);
  }
}
