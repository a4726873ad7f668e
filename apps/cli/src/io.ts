import type { OpenXenHostOptions, XenHost } from '@xenpt/qmp-sdk/xen';

/** Everything of the outside world that the program touches. */
export interface Io {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** A person looks at it and has not switched colours off (NO_COLOR). */
  readonly color: boolean;
  readonly version: string;
  /** Set off by Ctrl-C: a running attach is undone. */
  readonly signal: AbortSignal;
  readonly openHost: (options: OpenXenHostOptions) => XenHost;
}
