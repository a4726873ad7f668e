import { detach as detachDevice } from '@xenpt/qmp-sdk/xen';
import { parseDuration } from '@xenpt/qmp-sdk/dirty-rate';
import { ExitCode } from '../exit-code.js';
import { UsageError } from '../usage-error.js';
import type { Verb, VerbOptionValues } from '../verb.js';

const MAXIMUM_TIMEOUT_MS = 600_000;

export const detach: Verb = {
  name: 'detach',
  summary: 'take a device from a guest; it stays assignable',
  arguments: [
    { name: 'DOMAIN', description: 'id or name, as in xl list' },
    { name: 'BDF', description: 'address such as 0000:03:00.0 or 03:00.0' },
  ],
  options: [
    { flags: '--timeout <time>', description: 'how long the guest may take to let go of it', default: '15s' },
    { flags: '--without-guest', description: 'do not ask the guest: its driver finds the device missing' },
  ],
  examples: [
    ['xenpt detach web 03:00.0', 'the guest ejects it, then it is taken'],
    ['xenpt detach web 03:00.0 --without-guest', 'from a guest that hangs'],
  ],
  exitCodes: [
    ExitCode.failed,
    ExitCode.notFound,
    ExitCode.busy,
    ExitCode.rebootRequired,
    ExitCode.manualRecovery,
    ExitCode.timeout,
    ExitCode.noHypervisor,
  ],
  run: async ({ host, signal }, [domain = '', device = ''], { timeout, withoutGuest }) => {
    const detached = await detachDevice(host, {
      domain,
      device,
      signal,
      timeoutMs: timeoutOf(timeout),
      withoutGuest: withoutGuest === true,
    });
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

function timeoutOf(given: VerbOptionValues[string]): number {
  const timeoutMs = parseDuration(typeof given === 'string' ? given : '15s');
  if (timeoutMs >= 1000 && timeoutMs <= MAXIMUM_TIMEOUT_MS) return timeoutMs;
  throw new UsageError(`a timeout of ${timeoutMs} ms`, 'Take 1s to 10min.');
}
