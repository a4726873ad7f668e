import { resolveIdentity } from '../inventory/resolve-identity.js';
import type { HostRule, RuleHit } from './rule.js';

export const assignmentAbsent: HostRule = {
  scope: 'host',
  id: 'assignment-absent',
  title: 'A device that is kept assignable over restarts is not there',
  cause: 'It was taken out or moved to another slot, or the port above it is switched off.',
  consequence: 'Nothing is made assignable in its place, and the guest that needs it does not start.',
  remedy: 'Put it back, or record it again where it is now and forget the old place.',
  check: ({ functions, host: { expectedDevices } }) =>
    expectedDevices.flatMap(({ address, identity, source }): RuleHit[] => {
      const found = resolveIdentity(identity, functions);
      if (found.kind !== 'absent') return [];
      const [elsewhere] = found.elsewhere;
      const message = `${identity.path}, which was ${address}, is empty`;
      return [
        {
          effect: 'none',
          severity: 'error',
          message: elsewhere === undefined ? message : `${message}; such a card is at ${found.elsewhere.join(', ')}`,
          evidence: [source],
          fix:
            elsewhere === undefined
              ? `xenpt assignable remove ${address} --persist`
              : `xenpt assignable add ${elsewhere} --persist`,
        },
      ];
    }),
};
