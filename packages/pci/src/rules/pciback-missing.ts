import type { HostRule } from './rule.js';

export const pcibackMissing: HostRule = {
  scope: 'host',
  id: 'pciback-missing',
  title: 'xen-pciback is not loaded in dom0',
  cause: 'The module is not loaded at boot, or a mistake in its list of functions made it refuse to load.',
  consequence: 'No device can be made assignable; guests with devices do not start after a restart of the host.',
  remedy: 'Load it now, and at boot: a line xen-pciback in /etc/modules-load.d.',
  check: ({ host: { controlDomain, pcibackLoaded, guestConfigs } }) => {
    if (!controlDomain || pcibackLoaded) return [];
    const waiting = guestConfigs.filter(({ devices }) => devices.length > 0).map(({ name }) => name);
    return [
      {
        effect: 'warns',
        severity: waiting.length > 0 ? 'error' : 'warning',
        message:
          waiting.length > 0 ? `guests with devices wait for it: ${waiting.join(', ')}` : 'xen-pciback is not loaded',
        evidence: ['/sys/bus/pci/drivers/pciback is not there'],
        fix: 'modprobe xen-pciback',
      },
    ];
  },
};
