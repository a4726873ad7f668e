import type { OpenXenHostOptions, XenHost } from '@xenpt/qmp-sdk/xen';

/** Everything of the outside world that the program touches. */
export interface Io {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly stdin: NodeJS.ReadableStream;
  /** The size, as of now, of the terminal that standard output is; undefined when it is a pipe or a file. */
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
  /**
   * Reads a file that a person named, `-` standard input.
   *
   * @throws XenptError XENPT_FILE when it cannot be read or is longer than `mostBytes`
   */
  readonly readFile: (path: string, mostBytes: number) => Promise<Uint8Array>;
  /** Writes a file that a person asked for by `--output`; it appears whole or not at all. */
  readonly writeFile: (path: string, content: string | Uint8Array) => void;
  /** Asks a person, who may answer no; undefined where nobody sits at a terminal. */
  readonly confirm?: ((question: string) => Promise<boolean>) | undefined;
  /** Replaces the last line of the terminal that standard error is, '' takes it away; undefined: it is none. */
  readonly statusLine?: ((text: string) => void) | undefined;
  /** A person looks at it and has not switched colours off (NO_COLOR). */
  readonly color: boolean;
  /** Bits of colour that the terminal shows where `color` is true; left out: 8. */
  readonly colorDepth?: number;
  readonly version: string;
  /** How this program is started, word by word: for what has to start it at boot. */
  readonly command: readonly string[];
  /** Set off by Ctrl-C: a running attach is undone. */
  readonly signal: AbortSignal;
  readonly openHost: (options: OpenXenHostOptions) => XenHost;
}
