import type { GuestRule } from './rule.js';

export const guestMemoryNotFixed: GuestRule = {
  scope: 'guest',
  id: 'guest-memory-not-fixed',
  title: 'A guest with a device may not have its memory populated on demand',
  cause: 'maxmem is larger than memory: Xen then fills the guest’s memory only when it is touched.',
  consequence: 'A device cannot wait for that, so Xen refuses it (EXDEV): the guest does not start.',
  remedy: 'Make memory and maxmem equal.',
  check: ({ devices, memoryMib, maxMemoryMib, type, path }) => {
    if (devices.length === 0 || type !== 'hvm' || memoryMib === null || maxMemoryMib === null) return [];
    if (maxMemoryMib <= memoryMib) return [];
    return [
      {
        effect: 'none',
        severity: 'error',
        message: `maxmem=${maxMemoryMib} is more than memory=${memoryMib}`,
        evidence: [path],
        fix: `maxmem=${memoryMib}`,
      },
    ];
  },
};
