import { LabError, LabErrorCode, lastLines, type ConsoleTail } from '../errors.js';
import type { AgentClient } from './client.js';

export interface ExecOptions {
  /** The command, and all it started, is killed after this long. Default: {@link defaultTimeoutMs}. */
  readonly timeoutMs?: number;
  /** Given to the command's standard input, which is closed after it. */
  readonly input?: string | Uint8Array;
  /** Default: /root. */
  readonly cwd?: string;
  /** Added to the agent's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called with output as it comes. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', text: string) => void;
}

export interface ExecResult {
  /** As in a shell: 128 + the signal's number if a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An emulated processor is thirty times slower than a real one: a deadline says "hung", never "slow". */
export const defaultTimeoutMs = 120_000;
/** How much longer than the command's own deadline the agent is waited for. */
const agentGraceMs = 30_000;
/** Bytes of output kept of one command. */
const outputLimitBytes = 64 * 1024 * 1024;

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** Runs a bash command in dom0. Throws LabError `LAB_EXEC_TIMEOUT`, `LAB_AGENT_FAILED`, `LAB_CLOSED`. */
export function exec(
  agent: AgentClient,
  command: string,
  options: ExecOptions,
  consoles: () => ConsoleTail[],
): Promise<ExecResult> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  return new Promise((resolve, reject) => {
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let keptBytes = 0;
    const text = (stream: 'stdout' | 'stderr') => Buffer.concat(output[stream]).toString();
    const settle = (action: () => void) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', abort);
      call.close();
      action();
    };
    const timeoutError = (what: string) => {
      const said = [
        { name: 'standard output', text: lastLines(text('stdout')) },
        { name: 'standard error', text: lastLines(text('stderr')) },
      ];
      const message = `"${shortened(command)}" ${what} within ${timeoutMs} ms.`;
      return new LabError(LabErrorCode.execTimeout, message, { consoles: [...said, ...consoles()] });
    };
    const timer = setTimeout(
      () => settle(() => reject(timeoutError('did not end, and dom0 did not say so,'))),
      timeoutMs + agentGraceMs,
    );
    const abort = () => {
      call.send({ op: 'kill' });
      const cause: unknown = options.signal?.reason;
      settle(() => reject(new LabError(LabErrorCode.closed, `"${shortened(command)}" was aborted.`, { cause })));
    };
    const call = agent.call(
      (event, body) => {
        if (event.type === 'stdout' || event.type === 'stderr') {
          keptBytes += body.length;
          if (keptBytes <= outputLimitBytes) output[event.type].push(body);
          options.onOutput?.(event.type, body.toString());
        } else if (event.type === 'exit') {
          if (event.timedOut) return settle(() => reject(timeoutError('did not end')));
          const exitCode = event.exitCode ?? 128 + (signalNumbers[event.signal ?? ''] ?? 0);
          settle(() => resolve({ exitCode, stdout: text('stdout'), stderr: text('stderr') }));
        } else if (event.type === 'failed') {
          const message = `"${shortened(command)}" could not be run: ${event.message ?? 'no reason given'}.`;
          settle(() => reject(new LabError(LabErrorCode.agentFailed, message)));
        }
      },
      (error) => settle(() => reject(error)),
    );
    if (options.signal?.aborted) return abort();
    options.signal?.addEventListener('abort', abort);
    call.send({ op: 'exec', command, timeoutMs, cwd: options.cwd, env: options.env });
    sendInput(call, options.input ?? '');
  });
}

const pieceBytes = 256 * 1024;

function sendInput(call: ReturnType<AgentClient['call']>, input: string | Uint8Array): void {
  const bytes = Buffer.from(input);
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    call.send({ op: 'input' }, bytes.subarray(offset, offset + pieceBytes));
  }
  call.send({ op: 'input', end: true });
}

/** A command as it stands in a message. */
export function shortened(command: string): string {
  const line = command.replace(/\s+/g, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 157)}…` : line;
}
