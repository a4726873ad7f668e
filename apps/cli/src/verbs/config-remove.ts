import { removeFromGuestConfig } from '@xenpt/qmp-sdk/xen';
import { changedConfig, configExitCodes, formatChange, guestConfigArgument } from '../output/guest-config.js';
import { dryRunOption } from '../output/plan.js';
import type { Verb } from '../verb.js';

export const configRemove: Verb = {
  name: 'config remove',
  summary: "take devices out of pci=[...] of a guest's xl.cfg; everything else in it stays",
  arguments: [
    guestConfigArgument,
    {
      name: 'BDF',
      description: 'address such as 0000:03:00.0 or 03:00.0; 03:00.* is every entry of that device',
      variadic: true,
    },
  ],
  options: [dryRunOption],
  examples: [
    ['xenpt config remove /etc/xen/web.cfg 03:00.0', 'whatever its slot and options are'],
    ['xenpt config remove web.cfg 03:00.0 -N', 'the difference, as patch takes it'],
  ],
  schema: changedConfig,
  exitCodes: configExitCodes,
  run: (_, [path = '', ...bdfs], options) => {
    const change = removeFromGuestConfig(path, bdfs, { dryRun: options['dryRun'] === true });
    return { json: { ...change }, text: formatChange(change, 'no longer has') };
  },
};
