import type { GuestRule } from './rule.js';

export const guestNotMigratable: GuestRule = {
  scope: 'guest',
  id: 'guest-not-migratable',
  title: 'A guest with a device can neither be saved nor migrated',
  cause: 'Xen keeps no dirty log for a guest with a device, and no state of the device could be carried over.',
  consequence: 'Live migration, suspend to disk and the evacuation of the host stop at this guest.',
  remedy: 'Detach the device before, and attach one at the other side; or shut the guest down for maintenance.',
  check: ({ devices, path, name }) =>
    devices.length === 0
      ? []
      : [
          {
            effect: 'none',
            severity: 'info',
            message: `${name} cannot be migrated while it has ${devices.length === 1 ? 'its device' : 'its devices'}`,
            evidence: [path],
            fix: null,
          },
        ],
};
