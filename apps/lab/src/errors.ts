/** What went wrong, as a word that scripts may compare; the sentence in `message` is for people. */
export const LabErrorCode = {
  /** A Debian package or program of the host is missing. */
  hostIncomplete: 'LAB_HOST_INCOMPLETE',
  /** Not root, where root is needed. */
  notRoot: 'LAB_NOT_ROOT',
  /** A program of the host ended with an error. */
  hostCommandFailed: 'LAB_HOST_COMMAND_FAILED',
  /** The image could not be built. */
  imageBuildFailed: 'LAB_IMAGE_BUILD_FAILED',
  /** QEMU ended while it was needed. */
  machineEnded: 'LAB_MACHINE_ENDED',
  /** Dom0 did not answer in time after power-on. */
  bootTimeout: 'LAB_BOOT_TIMEOUT',
  /** A command in dom0 did not end in time. */
  execTimeout: 'LAB_EXEC_TIMEOUT',
  /** A command in dom0 that had to succeed did not. */
  execFailed: 'LAB_EXEC_FAILED',
  /** The agent in dom0 answered with an error, or broke the protocol. */
  agentFailed: 'LAB_AGENT_FAILED',
  /** A guest could not be created or controlled. */
  guestFailed: 'LAB_GUEST_FAILED',
  /** A guest did not do in time what was waited for. */
  guestTimeout: 'LAB_GUEST_TIMEOUT',
  /** The lab was closed, or its signal aborted, while something was pending. */
  closed: 'LAB_CLOSED',
  /** A profile, device or option that does not exist. */
  unknown: 'LAB_UNKNOWN',
} as const;
export type LabErrorCode = (typeof LabErrorCode)[keyof typeof LabErrorCode];

/** The last part of a console, to be read by a person who looks for the cause. */
export interface ConsoleTail {
  readonly name: string;
  readonly text: string;
}

export interface LabErrorOptions {
  readonly cause?: unknown;
  readonly consoles?: readonly ConsoleTail[];
}

/** Every failure of the lab. `message` ends with the consoles' last lines, so that a report in a log is complete. */
export class LabError extends Error {
  readonly code: LabErrorCode;
  // Private, so that a runner that prints an error's fields does not print them twice.
  readonly #consoles: readonly ConsoleTail[];

  constructor(code: LabErrorCode, message: string, options: LabErrorOptions = {}) {
    const consoles = (options.consoles ?? []).filter((console) => console.text.trim() !== '');
    const tails = consoles.map((console) => `\n--- ${console.name} (last lines) ---\n${console.text.trimEnd()}`);
    super(message + tails.join(''), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LabError';
    this.code = code;
    this.#consoles = consoles;
  }

  get consoles(): readonly ConsoleTail[] {
    return this.#consoles;
  }
}

/** Lines of a console kept in an error. */
export const tailLineCount = 40;

/** The last `lineCount` lines of a console's text, without carriage returns and escape sequences. */
export function lastLines(text: string, lineCount: number = tailLineCount): string {
  return plainText(text).split('\n').slice(-lineCount).join('\n').trim();
}

/** A console's text without terminal control: what a person would have read. */
export function plainText(text: string): string {
  return text.replace(/\u001b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>cM78])/g, '').replace(/\r/g, '');
}
