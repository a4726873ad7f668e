import type { HiddenFunction } from '../inventory/host-facts.js';
import type { HostRule, RuleHit } from './rule.js';

export const hideMalformed: HostRule = {
  scope: 'host',
  id: 'hide-malformed',
  title: 'A mistake in xen-pciback.hide',
  cause: 'The list is (SSSS:BB:DD.F)(SSSS:BB:DD.F)…, all hexadecimal. One wrong sign spoils all of it.',
  consequence:
    'pciback refuses to load, so no device of the list is held, and host drivers take them. XAPI stops too.',
  remedy: 'Write every address in full, with its segment.',
  check: ({ host: { hideParameters } }) =>
    hideParameters.flatMap(({ source, text, fault, functions }): RuleHit[] => {
      if (fault !== null) {
        return [
          {
            effect: 'none',
            severity: 'error',
            message: fault,
            evidence: [`${source}: hide=${text}`],
            fix: null,
          },
        ];
      }
      if (!functions.some(({ short }) => short)) return [];
      const full = functions.map((entry) => `(${format(entry)})`).join('');
      return [
        {
          effect: 'none',
          severity: 'warning',
          message: 'an address without its segment: pciback takes it, XAPI cuts the list in the wrong places',
          evidence: [`${source}: hide=${text}`],
          fix: `xen-pciback.hide=${full}`,
        },
      ];
    }),
};

function format({ segment, bus, device, function: fn }: HiddenFunction): string {
  const hex = (value: number | '*', digits: number): string =>
    value === '*' ? '*' : value.toString(16).padStart(digits, '0');
  return `${hex(segment, 4)}:${hex(bus, 2)}:${hex(device, 2)}.${fn}`;
}
