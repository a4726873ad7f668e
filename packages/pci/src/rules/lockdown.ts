import type { HostRule } from './rule.js';

export const lockdown: HostRule = {
  scope: 'host',
  id: 'lockdown',
  title: 'The kernel of dom0 is locked down',
  cause: 'Secure Boot, or lockdown= on the command line, keeps even root from devices’ registers.',
  consequence:
    'No device model can serve a device: writes to config space and maps of BARs are refused. QEMU fails too.',
  remedy: 'Switch Secure Boot off, or boot dom0 without lockdown.',
  check: ({ host }) =>
    host.lockdown === null || host.lockdown === 'none'
      ? []
      : [
          {
            effect: 'blocks',
            severity: host.controlDomain ? 'error' : 'info',
            message: `lockdown is ${host.lockdown}`,
            evidence: [`/sys/kernel/security/lockdown: ${host.lockdown}`],
            fix: 'mokutil --disable-validation',
          },
        ],
};
