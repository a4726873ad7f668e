import type { GuestView, GuestViewOptions } from '@xenpt/pci';

/** What the operator opened or closed for this guest, as it is in effect. */
export interface OpenedReport {
  /** Every byte that no register describes may be written. */
  readonly permissive: boolean;
  /** Single fields that may be written, as `GuestViewOptions.allow` of `@xenpt/pci` has them. */
  readonly allow: readonly string[];
  /** `none`: no expansion ROM; `blank`: one that reads all ones; `served`: `romBytes` of it are read from memory. */
  readonly rom: 'none' | 'blank' | 'served';
  readonly romBytes: number;
}

/** What the view was built with, said back. */
export function openedOf({ bars, romImage }: GuestView, policy: GuestViewOptions): OpenedReport {
  const hasRom = bars.some(({ kind }) => kind === 'rom');
  return {
    permissive: policy.permissive ?? false,
    allow: policy.allow ?? [],
    rom: romImage !== undefined ? 'served' : hasRom ? 'blank' : 'none',
    romBytes: romImage?.length ?? 0,
  };
}
