import { isBridge } from '../inventory/function-record.js';
import { deviceFile, type FunctionRule } from './rule.js';

export const noReset: FunctionRule = {
  scope: 'function',
  id: 'no-reset',
  title: 'The device cannot be reset between guests',
  cause:
    'It has no function level reset, or only one that keeps part of its state, and a reset of its bus would hit others.',
  consequence:
    'The next guest, or the same one after a restart, finds the device as the last left it: it may hang, or leak what ' +
    'the other had. xl tries a reset and ignores that it failed.',
  remedy:
    'Keep such a device for one guest. Where a bus reset works, choose it in reset_method; for some graphics cards a ' +
    'vendor module (vendor-reset) adds a way. Else only a restart of the host gives a clean device.',
  check: (fn) => {
    const { grade, reason, methods } = fn.reset;
    if (grade === 'safe' || isBridge(fn)) return [];
    return [
      {
        effect: 'warns',
        message: `${reason}; ${grade === 'same-guest' ? 'let only the same guest have it again' : 'it needs a restart of the host between guests'}`,
        evidence: [`${deviceFile(fn, 'reset_method')}: ${methods.length === 0 ? 'nothing' : methods.join(' ')}`],
        fix: methods[0] === 'pm' && methods.includes('bus') ? `echo bus > ${deviceFile(fn, 'reset_method')}` : null,
      },
    ];
  },
};
