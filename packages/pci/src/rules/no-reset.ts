import { isBridge } from '../inventory/function-record.js';
import { deviceFile, type FunctionRule } from './rule.js';

const advice = {
  'same-guest': 'let only the same guest have it again',
  'host-reboot': 'it needs a restart of the host between guests',
} as const;

export const noReset: FunctionRule = {
  scope: 'function',
  id: 'no-reset',
  title: 'The device cannot be reset between guests',
  cause: 'It has no complete reset of its own, and a reset of its bus would hit others.',
  consequence:
    'The next guest, or the same after a restart, finds the device as it was left: it may hang, or leak what ' +
    'the other had. xl tries a reset and ignores that it failed.',
  remedy:
    'Keep such a device for one guest. Where a bus reset works, choose it in reset_method; for some graphics cards a ' +
    'vendor module (vendor-reset) adds a way. Else only a restart of the host gives a clean device.',
  check: (fn) => {
    const { grade, reason, methods } = fn.reset;
    if (grade === 'safe' || isBridge(fn)) return [];
    return [
      {
        // The next guest would find what the last one left: nobody should do that unknowingly.
        effect: grade === 'host-reboot' ? 'blocks' : 'warns',
        message: `${reason}; ${advice[grade]}`,
        evidence: [`${deviceFile(fn, 'reset_method')}: ${methods.length === 0 ? 'nothing' : methods.join(' ')}`],
        fix: methods[0] === 'pm' && methods.includes('bus') ? `echo bus > ${deviceFile(fn, 'reset_method')}` : null,
      },
    ];
  },
};
