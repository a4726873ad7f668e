import { spawn } from 'node:child_process';
import { LabError, LabErrorCode, lastLines } from '../errors.js';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  /** The command is ended by SIGKILL after this long. */
  readonly timeoutMs?: number;
}

/** Bytes of output kept of one command; more is dropped from its beginning. */
const outputLimitBytes = 8 * 1024 * 1024;

/** A program of the host, run to its end. Resolves with its standard output; rejects with LabError. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: options.signal,
      killSignal: 'SIGKILL',
      timeout: options.timeoutMs,
    });
    let stdout = '';
    let everything = '';
    const collect = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
      const text = chunk.toString();
      if (stream === 'stdout') stdout = (stdout + text).slice(-outputLimitBytes);
      everything = (everything + text).slice(-outputLimitBytes);
    };
    child.stdout.on('data', collect('stdout'));
    child.stderr.on('data', collect('stderr'));
    child.on('error', (cause: NodeJS.ErrnoException) => reject(startFailure(command, cause)));
    child.on('close', (exitCode, signal) => {
      if (exitCode === 0) return resolve(stdout);
      const outcome = signal ? `was ended by ${signal}` : `failed with exit code ${String(exitCode)}`;
      const consoles = [{ name: command, text: lastLines(everything) }];
      const line = [command, ...args].join(' ');
      reject(new LabError(LabErrorCode.hostCommandFailed, `"${line}" ${outcome}.`, { consoles }));
    });
  });
}

function startFailure(command: string, cause: NodeJS.ErrnoException): LabError {
  if (cause.name === 'AbortError') return new LabError(LabErrorCode.closed, `"${command}" was aborted.`, { cause });
  if (cause.code !== 'ENOENT') {
    return new LabError(LabErrorCode.hostCommandFailed, `"${command}" could not be started: ${cause.message}.`, {
      cause,
    });
  }
  return new LabError(
    LabErrorCode.hostIncomplete,
    `This host has no "${command}". Install the Debian packages that apps/lab/host-packages.json lists.`,
    { cause },
  );
}
