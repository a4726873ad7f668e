import { guestInterruptBudget, messageVectors } from '../inventory/interrupt-budget.js';
import type { FunctionRule } from './rule.js';

export const pirqBudget: FunctionRule = {
  scope: 'function',
  id: 'pirq-budget',
  title: 'Wants more interrupts than a guest gets',
  cause:
    'Xen gives each guest a fixed number of physical interrupts (pirqs) beside the lines: 32, unless told otherwise.',
  consequence:
    'The driver gets fewer vectors than it asks for: it runs slowly, with one queue, or not at all (NVMe).',
  remedy: 'Raise extra_guest_irqs on Xen’s command line and restart the host.',
  check: (fn, { host }) => {
    const vectors = messageVectors(fn);
    const { budget, source } = guestInterruptBudget(host.xen?.commandLine ?? null);
    if (vectors <= budget) return [];
    return [
      {
        effect: 'warns',
        message: `it has ${vectors} vectors; a guest gets ${budget} pirqs for all its devices`,
        evidence: [
          `vectors: MSI-X ${fn.interrupts.msix?.vectorCount ?? 0}, MSI ${fn.interrupts.msi?.vectorCount ?? 0}`,
          source,
        ],
        fix: `extra_guest_irqs=${Math.ceil((vectors + 16) / 32) * 32} on the command line of Xen`,
      },
    ];
  },
};
