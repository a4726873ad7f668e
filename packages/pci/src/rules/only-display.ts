import { type FunctionRule, isHeldForGuests } from './rule.js';

const displayClass = 0x03;

export const onlyDisplay: FunctionRule = {
  scope: 'function',
  id: 'only-display',
  title: 'The only display of the host',
  cause: 'No other display controller is left for the host.',
  consequence:
    'The screen freezes or goes dark; a desktop dies; without a network or a serial console nobody gets in.',
  remedy: 'Add a second display, or make sure of a serial console or of ssh before.',
  check: (fn, { functions }) => {
    if (fn.classCode >>> 16 !== displayClass) return [];
    const others = functions.filter(
      (other) => other.address !== fn.address && other.classCode >>> 16 === displayClass && !isHeldForGuests(other),
    );
    if (others.length > 0) return [];
    const held = isHeldForGuests(fn);
    return [
      {
        effect: held ? 'warns' : 'blocks',
        message: held ? 'the host has no display left' : 'it is the last display of the host',
        evidence: [`class 0x${fn.classCode.toString(16).padStart(6, '0')}; no other function of class 03`],
        fix: null,
      },
    ];
  },
};
