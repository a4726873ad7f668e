import type { FunctionRule } from './rule.js';

export const doubleAssignment: FunctionRule = {
  scope: 'function',
  id: 'double-assignment',
  title: 'More than one guest is to have the device',
  cause: 'Several configurations name it, or one names what another guest has now.',
  consequence: 'Only one of the guests can run; the second does not start, and the message does not say why.',
  remedy: 'Decide for one, or never start both.',
  check: ({ wantedBy, owner, address }) => {
    const has = owner.kind === 'domain' ? [owner.domainName] : [];
    const names = [...new Set([...has, ...wantedBy])];
    if (names.length < 2) return [];
    return [
      {
        effect: 'warns',
        severity: 'warning',
        message: `${names.join(' and ')} want it${has.length > 0 ? `; ${has[0]} has it` : ''}`,
        evidence: [`pci=[…"${address}"…] in the configurations of ${wantedBy.join(', ')}`],
        fix: null,
      },
    ];
  },
};
