import type { WordRule } from '@xenpt/core-wasm';

import type { GuestBar } from '../bars/bar.js';
import type { InterruptGeometry } from '../capabilities/capability.js';

export interface GuestViewOptions {
  /** The guest's slot holds more functions than this one: header type bit 7. Default false. */
  readonly multifunction?: boolean;
  /** Reserved: undescribed bytes are never written. */
  readonly permissive?: false;
}

/** What one guest sees and touches of one function. Data: nothing in it reads the device again. */
export interface GuestView extends InterruptGeometry {
  /** 64 words, 256 bytes, in order. */
  readonly words: readonly { readonly index: number; readonly rule: WordRule }[];
  /** By index; what is missing reads 0. */
  readonly bars: readonly GuestBar[];
  readonly command: { readonly offset: 4 };
  /** 0 none, 1–4 INTA–INTD. */
  readonly interruptPin: number;
  readonly hidden: readonly {
    readonly offset: number;
    readonly id: number;
    readonly name: string;
    readonly reason: string;
  }[];
  /** Why the device's capability list was not followed to its end; null when it was. */
  readonly chainFault: string | null;
}
