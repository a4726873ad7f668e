import type { GuestRule } from './rule.js';

export const guestDeviceAbsent: GuestRule = {
  scope: 'guest',
  id: 'guest-device-absent',
  title: 'A guest’s configuration names a device that is not there',
  cause: 'The card was removed or moved, or the buses were numbered anew.',
  consequence: 'The guest does not start.',
  remedy: 'Find the card with `xenpt list` and correct the address.',
  check: ({ devices, path }, { byAddress }) =>
    devices
      .filter(({ addresses }) => addresses.length > 0 && !addresses.some((address) => byAddress.has(address)))
      .map(({ text }) => ({
        effect: 'none',
        severity: 'error',
        message: `"${text}" names nothing on this host`,
        evidence: [path],
        fix: 'xenpt list',
      })),
};
