import { checkDetach, detach as detachDevice, type Detached, Rehearsal, XenErrorCode } from '@xenpt/qmp-sdk/xen';
import { parseDuration } from '@xenpt/qmp-sdk/dirty-rate';
import { asks, confirm, yesOption } from '../confirm.js';
import { eachDevice, expandDevices } from '../each-device.js';
import { ExitCode } from '../exit-code.js';
import { dryRunOption, formatPlan } from '../output/plan.js';
import { UsageError } from '../usage-error.js';
import type { Verb, VerbOptionValues } from '../verb.js';
import { detachedDevices } from '../output/guest-schema.js';

const MAXIMUM_TIMEOUT_MS = 600_000;

export const detach: Verb = {
  name: 'detach',
  summary: 'take a device from a guest; it stays assignable',
  arguments: [
    { name: 'DOMAIN', description: 'id or name, as in xl list' },
    { name: 'BDF', description: 'address such as 0000:03:00.0 or 03:00.0; 03:00.* is all its functions' },
  ],
  options: [
    { flags: '--timeout <time>', description: 'how long the guest may take to let go of it', default: '15s' },
    { flags: '--without-guest', description: 'do not ask the guest: its driver finds the device missing' },
    dryRunOption,
    yesOption,
  ],
  examples: [
    ['xenpt detach web 03:00.0', 'the guest ejects it, then it is taken'],
    ['xenpt detach web 03:00.0 -N', 'what would be written where; nothing is'],
    ['xenpt detach web 03:00.0 --without-guest', 'from a guest that hangs'],
  ],
  schema: detachedDevices,
  exitCodes: [
    ExitCode.failed,
    ExitCode.notFound,
    ExitCode.refused,
    ExitCode.busy,
    ExitCode.rebootRequired,
    ExitCode.manualRecovery,
    ExitCode.timeout,
    ExitCode.noHypervisor,
  ],
  run: async (context, [domain = '', word = ''], options) => {
    const { host, io, signal, onStep } = context;
    const { timeout, withoutGuest } = options;
    const common = { domain, signal, onStep, timeoutMs: timeoutOf(timeout), withoutGuest: withoutGuest === true };
    const devices = expandDevices(context, [word]);
    const passed = devices.length > 1 ? XenErrorCode.notAttached : undefined;
    if (options['dryRun'] === true) {
      const rehearsal = new Rehearsal(host);
      const check = (device: string) => Promise.resolve(checkDetach(host, { ...common, device }, rehearsal));
      const plans = (await eachDevice(context, devices, check, passed)).map(({ plan }) => plan);
      return { json: { dryRun: true, detached: null, devices: [], plans }, text: formatPlan(plans) };
    }
    if (withoutGuest === true && asks(io, options)) await confirm(io, options, devices.map(describeLoss));
    const detach = (device: string) => detachDevice(host, { ...common, device });
    const all = await eachDevice(context, devices, detach, passed);
    return {
      json: { dryRun: false, detached: all[0], devices: all, plans: [] },
      text: all.map(describe).join('\n'),
      notes: all.flatMap(({ notes }) => notes),
      exitCode: all.every(({ complete }) => complete) ? ExitCode.ok : ExitCode.rebootRequired,
    };
  },
};

function describeLoss(sbdf: string): string {
  return `${sbdf}: the guest is not asked (--without-guest); what its driver has not finished is lost`;
}

function describe({ sbdf, domid, domainName, complete }: Detached): string {
  return complete
    ? `${sbdf} is detached from domain ${domid} (${domainName}) and assignable`
    : `${sbdf} is stopped and in quarantine, but stays reserved for domain ${domid} (${domainName})`;
}

function timeoutOf(given: VerbOptionValues[string]): number {
  const timeoutMs = parseDuration(typeof given === 'string' ? given : '15s');
  if (timeoutMs >= 1000 && timeoutMs <= MAXIMUM_TIMEOUT_MS) return timeoutMs;
  throw new UsageError(`a timeout of ${timeoutMs} ms`, 'Take 1s to 10min.');
}
