import { AgentClient } from './agent/client.js';
import { exec } from './agent/exec.js';
import { LabError, LabErrorCode } from './errors.js';
import type { Image } from './image/build.js';
import { Machine } from './machine/machine.js';
import type { MachineOptions } from './machine/qemu-arguments.js';
import { discardState, isSaved, locateState, saveState } from './machine/saved-state.js';

export interface PowerOnOptions extends MachineOptions {
  readonly image: Image;
  /** From power-on to the first command. */
  readonly timeoutMs: number;
  /** Boots even if there is a saved state, and saves none. */
  readonly fresh: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onStep: (step: string) => void;
}

export interface RunningMachine {
  readonly machine: Machine;
  readonly agent: AgentClient;
}

/** A resumed dom0 answers within two seconds; if it has not after this long, it is booted instead. */
const resumeTimeoutMs = 60_000;

/**
 * A machine whose dom0 takes commands: resumed from the state that an earlier boot of the same machine left in the
 * cache, or booted, and its state saved for the next.
 */
export async function powerOn(options: PowerOnOptions): Promise<RunningMachine> {
  const { onStep, signal, fresh } = options;
  const name = options.image.profile.name;
  const state = fresh ? undefined : await locateState(options);
  if (state && isSaved(state)) {
    onStep(`resuming ${name}`);
    try {
      return await resume({ ...options, resume: state });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      const [reason] = String((cause as Error).message).split('\n');
      onStep(`the saved machine is of no use and is removed: ${reason}`);
      discardState(state);
    }
  }
  onStep(`booting ${name}`);
  const running = await meet(await Machine.start(options), options.timeoutMs, { signal });
  if (state) {
    onStep('saving the machine for the next time');
    try {
      await saveState(state, options.runDirectory, signal);
    } catch (cause) {
      if (cause instanceof LabError && cause.code === LabErrorCode.machineEnded) {
        await running.machine.end();
        throw cause;
      }
      onStep(`not saved: ${(cause as Error).message}`);
    }
  }
  return running;
}

async function resume(options: PowerOnOptions): Promise<RunningMachine> {
  const { signal, timeoutMs } = options;
  const deadlineMs = Math.min(resumeTimeoutMs, timeoutMs);
  const running = await meet(await Machine.start(options), deadlineMs, { signal, resumed: true });
  const { machine, agent } = running;
  try {
    // Its clock stood still while it lay in the cache.
    const setClock = `date -s @${(Date.now() / 1000).toFixed(3)}`;
    await exec(agent, setClock, { timeoutMs: deadlineMs, ...(signal ? { signal } : {}) }, () => machine.consoles());
    return running;
  } catch (cause) {
    await machine.end();
    throw cause;
  }
}

async function meet(
  machine: Machine,
  timeoutMs: number,
  { signal, resumed = false }: { signal?: AbortSignal | undefined; resumed?: boolean },
): Promise<RunningMachine> {
  try {
    const socket = await machine.connectAgent(timeoutMs);
    const agent = new AgentClient(socket, () => machine.endedError(), resumed);
    void machine.ended.then(() => agent.fail(machine.endedError()));
    if (!resumed) await hello(machine, agent, timeoutMs, signal);
    return { machine, agent };
  } catch (cause) {
    await machine.end();
    throw cause;
  }
}

async function hello(machine: Machine, agent: AgentClient, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  const timer = setTimeout(() => {
    const message = `Dom0 was not up ${timeoutMs} ms after power-on.`;
    agent.fail(new LabError(LabErrorCode.bootTimeout, message, { consoles: machine.consoles() }));
  }, timeoutMs);
  const abort = () =>
    agent.fail(new LabError(LabErrorCode.closed, 'The boot was aborted.', { cause: signal?.reason }));
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  try {
    await agent.hello;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
