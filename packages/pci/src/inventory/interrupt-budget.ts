import type { FunctionInterrupts } from './function-record.js';

/** Xen docs/misc/xen-command-line.pandoc, extra_guest_irqs. */
const defaultGuestPirqs = 32;

/** The vectors that a function may ask for: those of MSI-X where it has it, else of MSI. */
export function messageVectors({ interrupts }: { readonly interrupts: FunctionInterrupts }): number {
  return interrupts.msix?.vectorCount ?? interrupts.msi?.vectorCount ?? 0;
}

/** The pirqs that a guest has for message-signalled interrupts of all its devices, and where the number is from. */
export function guestInterruptBudget(xenCommandLine: string | null): {
  readonly budget: number;
  readonly source: string;
} {
  const given = /(?:^|\s)extra_guest_irqs=([0-9]{1,5})/.exec(xenCommandLine ?? '')?.[1];
  if (given !== undefined) return { budget: Number(given), source: `Xen's command line: extra_guest_irqs=${given}` };
  const known = xenCommandLine === null ? 'Xen’s command line is not known' : 'Xen’s command line does not set it';
  return { budget: defaultGuestPirqs, source: `extra_guest_irqs: default ${defaultGuestPirqs}; ${known}` };
}
