import type { XenHost } from '@xenpt/qmp-sdk/xen';
import type { ExitCode } from './exit-code.js';
import type { Style } from './output/style.js';

export interface VerbContext {
  readonly host: XenHost;
  readonly style: Style;
  readonly signal: AbortSignal;
}

/** What a verb has to say, for a person and for a program. */
export interface VerbOutput {
  /** Becomes the JSON document, after `schemaVersion`. BigInt becomes "0x…". */
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** For stderr: what to know beside the result. */
  readonly notes?: readonly string[];
  readonly exitCode?: ExitCode;
}

export interface VerbArgument {
  readonly name: string;
  readonly description: string;
  /** Takes all the rest, at least one. */
  readonly variadic?: boolean;
}

/** One verb, one file, one object: usage, help, exit codes and JSON all come from here. */
export interface Verb {
  /** `attach`, or `assignable add` for one of a group. */
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly VerbArgument[];
  /** Takes `--sysroot DIR`: works on a captured tree. */
  readonly sysroot?: boolean;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** Codes beside 0 and 2 that it can end with. */
  readonly exitCodes: readonly ExitCode[];
  readonly run: (context: VerbContext, args: readonly string[]) => VerbOutput | Promise<VerbOutput>;
}
