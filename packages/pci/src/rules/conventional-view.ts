import { isBridge } from '../inventory/function-record.js';
import type { FunctionRule } from './rule.js';

/** What drivers are known to look for. */
const missed: readonly string[] = [
  'Latency Tolerance Reporting',
  'L1 PM Substates',
  'Advanced Error Reporting',
  'Resizable BAR',
];

export const conventionalView: FunctionRule = {
  scope: 'function',
  id: 'conventional-view',
  title: 'The guest does not see the extended capabilities',
  cause: 'An HVM guest of Xen has a conventional PCI bus (i440fx): configuration space ends at byte 255.',
  consequence: 'Drivers miss power management of the link, error reports and resizable BARs; few refuse to work.',
  remedy: 'None on Xen. `xenpt show` lists what the guest does not see.',
  check: (fn) => {
    if (isBridge(fn)) return [];
    const lost = fn.config.extendedCapabilities.filter((name) => missed.includes(name));
    if (lost.length === 0) return [];
    return [
      {
        effect: 'none',
        message: `a guest does not see ${lost.join(', ')}`,
        evidence: ['bytes 0x100 to 0xfff'],
        fix: null,
      },
    ];
  },
};
