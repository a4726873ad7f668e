import { type FunctionRule, goesAlong, nameWithDriver, otherEndpoints } from './rule.js';

export const sharedInterrupt: FunctionRule = {
  scope: 'function',
  id: 'shared-interrupt',
  title: 'Its only interrupt is a line that others use',
  cause: 'It has no message-signalled interrupts, and the board wires its line to other devices.',
  consequence: 'A guest that does not answer holds the line for all of them. Xen gives no security support for it.',
  remedy: 'Another slot may have another line. Else give the others to the same guest.',
  check: (fn, inventory) => {
    const { msi, msix } = fn.interrupts;
    if (fn.irq === 0 || msi !== null || msix !== null || fn.config.sizeBytes <= 64) return [];
    const sameLine = inventory.functions.filter(
      ({ irq, interrupts }) =>
        irq === fn.irq && !(interrupts.msi?.enabled ?? false) && !(interrupts.msix?.enabled ?? false),
    );
    const others = otherEndpoints(
      fn,
      sameLine.map(({ address }) => address),
      inventory,
    );
    const strangers = others.filter((other) => !goesAlong(fn, other) && other.driver !== null);
    if (strangers.length === 0) return [];
    return [
      {
        effect: 'warns',
        message: `it shares line ${fn.irq} with ${strangers.map(nameWithDriver).join(', ')}`,
        evidence: [`/sys/bus/pci/devices/${fn.address}/irq: ${fn.irq}`, '/proc/interrupts'],
        fix: null,
      },
    ];
  },
};
