import { compareIdentities } from '../inventory/identity.js';
import type { FunctionRule } from './rule.js';

export const identityChanged: FunctionRule = {
  scope: 'function',
  id: 'identity-changed',
  title: 'The slot holds another card than the one that was recorded',
  cause: 'An address is not an identity: adding, moving or removing a card renumbers the buses.',
  consequence: 'A guest gets the wrong device: the network card of the host instead of a USB controller.',
  remedy: 'Look where the card is now, and record the assignment again.',
  check: ({ identity }, { host }) =>
    host.expectedDevices
      .filter((expected) => expected.identity.path === identity.path)
      .flatMap(({ identity: recorded, source }) => {
        const differences = compareIdentities(recorded, identity);
        if (differences.length === 0) return [];
        return [
          {
            effect: 'blocks',
            severity: 'error',
            message: `the slot holds another card than ${source} recorded`,
            evidence: differences.map(({ field, was, is }) => `${field}: was ${was}, is ${is}`),
            fix: 'xenpt list',
          },
        ];
      }),
};
