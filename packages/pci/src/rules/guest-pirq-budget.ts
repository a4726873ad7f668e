import { guestInterruptBudget, messageVectors } from '../inventory/interrupt-budget.js';
import { devicesOf } from './guest-devices.js';
import type { GuestRule } from './rule.js';

export const guestPirqBudget: GuestRule = {
  scope: 'guest',
  id: 'guest-pirq-budget',
  title: 'A guest’s devices want more interrupts than it gets',
  cause: 'The pirqs that Xen gives a guest are for all its devices together.',
  consequence: 'The last drivers that ask get fewer vectors, or none.',
  remedy: 'Raise extra_guest_irqs on Xen’s command line and restart the host.',
  check: (guest, inventory) => {
    const devices = devicesOf(guest, inventory);
    const total = devices.reduce((sum, fn) => sum + messageVectors(fn), 0);
    const { budget, source } = guestInterruptBudget(inventory.host.xen?.commandLine ?? null);
    if (devices.length < 2 || total <= budget) return [];
    return [
      {
        effect: 'none',
        severity: 'warning',
        message: `its ${devices.length} devices have ${total} vectors; the guest gets ${budget} pirqs`,
        evidence: [guest.path, source],
        fix: `extra_guest_irqs=${Math.ceil((total + 16) / 32) * 32} on the command line of Xen`,
      },
    ];
  },
};
