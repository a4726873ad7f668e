import type { GuestRule } from './rule.js';

export const guestConfigFault: GuestRule = {
  scope: 'guest',
  id: 'guest-config-fault',
  title: 'A guest’s configuration cannot be read',
  cause: 'A sign in the file is not where xl expects it, or a device in pci=[…] is not an address.',
  consequence: 'The guest does not start; xl names a line at best.',
  remedy: 'Correct the place that is named.',
  check: ({ fault, path }) =>
    fault === null ? [] : [{ effect: 'none', severity: 'error', message: fault, evidence: [path], fix: null }],
};
