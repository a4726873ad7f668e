import { type GuestRule, isHeldForGuests, nameWithDriver } from './rule.js';

export const guestDeviceNotHeld: GuestRule = {
  scope: 'guest',
  id: 'guest-device-not-held',
  title: 'A guest’s device still belongs to a driver of the host',
  cause: 'What a guest is to have must be made assignable first; after a restart of the host, every time again.',
  consequence: 'The guest does not start (without seize=1).',
  remedy: 'Make it assignable, and keep it so over restarts.',
  check: ({ devices, path, name }, { byAddress }) => {
    const wanted = devices.filter(({ seize }) => !seize).flatMap(({ addresses }) => addresses);
    const taken = wanted
      .map((address) => byAddress.get(address))
      .filter((fn) => fn !== undefined)
      .filter((fn) => !isHeldForGuests(fn) && fn.owner.kind !== 'domain');
    if (taken.length === 0) return [];
    return [
      {
        effect: 'none',
        severity: 'warning',
        message: `${name} wants ${taken.map(nameWithDriver).join(', ')}`,
        evidence: [path],
        fix: `xenpt assignable add ${taken.map(({ address }) => address).join(' ')}`,
      },
    ];
  },
};
