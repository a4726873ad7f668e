import type { XenHost } from '@xenpt/qmp-sdk/xen';
import type { ExitCode } from './exit-code.js';
import type { Io } from './io.js';
import type { JsonSchema } from './json-schema.js';
import type { Style } from './output/style.js';

export interface VerbContext {
  /** Opened at the first use: a verb that does not look at it works without Xen. */
  readonly host: XenHost;
  readonly style: Style;
  readonly signal: AbortSignal;
  /** For what a verb shows while it runs; its result is what `run` returns. */
  readonly io: Pick<
    Io,
    'stdout' | 'stderr' | 'stdin' | 'terminal' | 'colorDepth' | 'readFile' | 'writeFile' | 'confirm' | 'command'
  >;
  /** What an operation is at: shown on a terminal once it takes longer than a second. */
  readonly onStep: (step: string) => void;
}

/** What a verb has to say, for a person and for a program. */
export interface VerbOutput {
  /** The JSON document, after `schemaVersion`; BigInt becomes "0x…". Left out by a verb that has printed all. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** Left out by a verb that has printed all. */
  readonly text?: string;
  /** For stderr: what to know beside the result. */
  readonly notes?: readonly string[];
  readonly exitCode?: ExitCode;
}

export interface VerbArgument {
  readonly name: string;
  readonly description: string;
  /** Takes all the rest, at least one, or none where it is optional. */
  readonly variadic?: boolean;
  readonly optional?: boolean;
}

export interface VerbOption {
  /** As commander writes it: `--interval <time>`; `--no-clear`; `-o, --output <FILE>`. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string;
  /** May be given several times: its value is a list then. */
  readonly repeatable?: boolean;
}

/** What was given for a verb's options, by their long names in camelCase. */
export type VerbOptionValues = Readonly<Record<string, string | readonly string[] | boolean | undefined>>;

/** One verb, one file, one object: usage, help, exit codes and JSON all come from here. */
export interface Verb {
  /** `attach`, or `assignable add` for one of a group. */
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly VerbArgument[];
  /** Beside `--json` and `--debug`, which every verb has. */
  readonly options?: readonly VerbOption[];
  /** The fields of its JSON document, after `schemaVersion`; for `xenpt schema`. */
  readonly schema: Readonly<Record<string, JsonSchema>>;
  /** Fields that only some of its documents have. */
  readonly optionalSchema?: Readonly<Record<string, JsonSchema>>;
  /** Takes `--sysroot DIR`: works on a captured tree. */
  readonly sysroot?: boolean;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** Codes beside 0 and 2 that it can end with. */
  readonly exitCodes: readonly ExitCode[];
  readonly run: (
    context: VerbContext,
    args: readonly string[],
    options: VerbOptionValues & { readonly json: boolean },
  ) => VerbOutput | Promise<VerbOutput>;
}
