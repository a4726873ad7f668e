import type { GuestBar } from '../bars/bar.js';
import type { ControlGeometry, HostRange, InterruptGeometry, WithheldBytes } from '../capabilities/capability.js';
import type { ViewWord } from '../config-space/register-table.js';

export interface GuestViewOptions {
  /** The guest's slot holds more functions than this one: header type bit 7. Default false. */
  readonly multifunction?: boolean;
  /**
   * A guest's writes reach the device in every byte from 0x40 on that no register describes and nothing conceals.
   * What is described keeps its policy. Default false.
   */
  readonly permissive?: boolean;
  /**
   * The same for single fields, each as `GROUP@OFFSET+BYTE:MASK`: the capability's name in lower case with dashes,
   * where it stands, a byte of it, the bits from that byte on; `device-specific` for what is in no capability.
   * Example: `vendor-specific@0x90+4:0xff`. Other bits of the same byte are written back as they were read.
   */
  readonly allow?: readonly string[];
  /** The host resets the function when the guest asks; without it no guest is offered a reset. Default false. */
  readonly functionReset?: boolean;
  /** How many MSI vectors of the function the host can take at once; the guest is offered no more. Default 1. */
  readonly msiVectorLimit?: number;
  /** False: the guest finds no expansion ROM. Default true. */
  readonly expansionRom?: boolean;
  /** Bytes of a file that the guest finds as its expansion ROM, whatever the device has. */
  readonly romImage?: Uint8Array;
}

/** What one guest sees and touches of one function. Data: nothing in it reads the device again. */
export interface GuestView extends InterruptGeometry, ControlGeometry {
  /** 64 words, 256 bytes, in order. */
  readonly words: readonly ViewWord[];
  /** By index; what is missing reads 0. */
  readonly bars: readonly GuestBar[];
  /** What the guest reads in its expansion ROM; missing when it comes from no file. */
  readonly romImage?: Uint8Array;
  readonly command: { readonly offset: 4 };
  /** Kept from the guest although the capability that they belong to is hidden: the table of a broken MSI-X. */
  readonly withheld?: WithheldBytes;
  /** Pages that hold any of these a process of the host must not write: table and pending bits of MSI-X. */
  readonly hostReadOnly: readonly HostRange[];
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
