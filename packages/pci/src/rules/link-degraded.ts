import { isBridge } from '../inventory/function-record.js';
import { deviceFile, type FunctionRule } from './rule.js';

export const linkDegraded: FunctionRule = {
  scope: 'function',
  id: 'link-degraded',
  title: 'The link runs with fewer lanes than the device has',
  cause: 'The slot has fewer lanes, the card sits badly, or the link lost lanes in an earlier reset.',
  consequence: 'The device is slower, also in the guest, where nothing tells why.',
  remedy: 'Compare with the slot; take the card out and put it back; look for AER errors in the kernel log.',
  check: (fn) => {
    const { link } = fn;
    if (isBridge(fn) || link === null || link.width === 0 || link.width >= link.maxWidth) return [];
    return [
      {
        effect: 'none',
        message: `x${link.width} of x${link.maxWidth} lanes at ${link.speed} of ${link.maxSpeed} GT/s`,
        evidence: [deviceFile(fn, 'current_link_width'), deviceFile(fn, 'max_link_width')],
        fix: null,
      },
    ];
  },
};
