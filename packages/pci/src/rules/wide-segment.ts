import { lastSegment } from '../inventory/location.js';
import type { FunctionRule } from './rule.js';

export const wideSegment: FunctionRule = {
  scope: 'function',
  id: 'wide-segment',
  title: 'The address is beyond what Xen can name',
  cause:
    'Linux gives the devices behind Intel’s VMD controller segments above ffff. They are not on a bus of the host.',
  consequence: 'Xen, xl and pciback have 16 bits for the segment and refuse or misread the address.',
  remedy:
    'Switch VMD off in the firmware, so that the disks appear on ordinary buses; or pass through the VMD controller.',
  check: ({ sbdf, address }) =>
    sbdf.segment <= lastSegment
      ? []
      : [
          {
            effect: 'blocks',
            message: `segment ${sbdf.segment.toString(16)} is above ffff`,
            evidence: [address],
            fix: null,
          },
        ],
};
