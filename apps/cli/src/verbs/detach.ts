import { detach as detachDevice } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import type { Verb } from '../verb.js';

export const detach: Verb = {
  name: 'detach',
  summary: 'take a device from a guest; it stays assignable',
  arguments: [
    { name: 'DOMAIN', description: 'id or name, as in xl list' },
    { name: 'BDF', description: 'address such as 0000:03:00.0 or 03:00.0' },
  ],
  examples: [['xenpt detach web 03:00.0', 'the guest should have removed it first, as with echo 1 > …/remove']],
  exitCodes: [
    ExitCode.failed,
    ExitCode.notFound,
    ExitCode.busy,
    ExitCode.rebootRequired,
    ExitCode.manualRecovery,
    ExitCode.timeout,
    ExitCode.noHypervisor,
  ],
  run: async ({ host }, [domain = '', device = '']) => {
    const detached = await detachDevice(host, { domain, device });
    const { sbdf, domid, domainName, complete, notes } = detached;
    return {
      json: { detached },
      text: complete
        ? `${sbdf} is detached from domain ${domid} (${domainName}) and assignable`
        : `${sbdf} is stopped and in quarantine, but stays reserved for domain ${domid} (${domainName})`,
      notes,
      exitCode: complete ? ExitCode.ok : ExitCode.rebootRequired,
    };
  },
};
