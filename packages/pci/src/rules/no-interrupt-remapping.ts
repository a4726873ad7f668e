import type { HostRule } from './rule.js';

export const noInterruptRemapping: HostRule = {
  scope: 'host',
  id: 'no-interrupt-remapping',
  title: 'The platform has no interrupt remapping',
  cause: 'The firmware’s DMAR table does not offer it: an early VT-d, or a firmware setting.',
  consequence: 'A guest with a device can send any interrupt to the host by a write of the device.',
  remedy: 'Look for x2APIC or interrupt remapping in the firmware; pass devices to trusted guests only.',
  check: ({ host: { interruptRemapping } }) =>
    interruptRemapping !== false
      ? []
      : [
          {
            effect: 'warns',
            severity: 'warning',
            message: 'interrupts of devices are not checked',
            evidence: ['DMAR table: flag 0 (INTR_REMAP) is clear'],
            fix: null,
          },
        ],
};
