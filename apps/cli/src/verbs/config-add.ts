import { addToGuestConfig } from '@xenpt/qmp-sdk/xen';
import { changedConfig, configExitCodes, formatChange, guestConfigArgument } from '../output/guest-config.js';
import { dryRunOption } from '../output/plan.js';
import type { Verb } from '../verb.js';

export const configAdd: Verb = {
  name: 'config add',
  summary: "write devices into pci=[...] of a guest's xl.cfg; everything else in it stays",
  arguments: [
    guestConfigArgument,
    {
      name: 'BDF[@VSLOT][,key=value...]',
      description: 'address, slot on bus 0 of the guest in hexadecimal, options of xl',
      variadic: true,
    },
  ],
  options: [dryRunOption],
  examples: [
    ['xenpt config add /etc/xen/web.cfg 03:00.0', 'at the end of the list, or in a new one'],
    ['xenpt config add web.cfg 03:00.0@5,permissive=1', 'with its slot and an option'],
    ['xenpt config add web.cfg 03:00.0 -N', 'the difference, as patch takes it'],
  ],
  schema: changedConfig,
  exitCodes: configExitCodes,
  run: (_, [path = '', ...specs], options) => {
    const change = addToGuestConfig(path, specs, { dryRun: options['dryRun'] === true });
    return { json: { ...change }, text: formatChange(change, 'has') };
  },
};
