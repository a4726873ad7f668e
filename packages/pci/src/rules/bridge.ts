import { isBridge } from '../inventory/function-record.js';
import type { FunctionRule } from './rule.js';

export const bridge: FunctionRule = {
  scope: 'function',
  id: 'bridge',
  title: 'A bridge cannot be passed through',
  cause: 'A bridge routes what other functions send; it is part of the host.',
  consequence: 'Xen and xl refuse it, or the devices behind it stop working.',
  remedy: 'Choose the functions behind the bridge.',
  check: ({ classCode, config, address }, { functions }) => {
    if (!isBridge({ classCode, config })) return [];
    const behind = () => functions.filter(({ parent }) => parent === address).map((fn) => fn.address);
    return [
      {
        effect: 'blocks',
        get message() {
          const below = behind();
          return below.length === 0 ? 'it is a bridge' : `it is the bridge above ${below.join(', ')}`;
        },
        evidence: [`class 0x${classCode.toString(16).padStart(6, '0')}, header type ${config.headerType}`],
        get fix() {
          const [first] = behind();
          return first === undefined ? null : `xenpt show ${first}`;
        },
      },
    ];
  },
};
