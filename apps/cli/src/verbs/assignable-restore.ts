import { restoreAssignable, type RestoredDevice } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { address, flag, list, object, oneOf, text } from '../json-schema.js';
import { planOrNull } from '../output/assignable-schema.js';
import { dryRunOption, formatPlan } from '../output/plan.js';
import type { Verb } from '../verb.js';

/** What hurts most decides. */
const codes: readonly (readonly [RestoredDevice['outcome'], ExitCode])[] = [
  ['changed', ExitCode.refused],
  ['failed', ExitCode.failed],
  ['absent', ExitCode.notFound],
];

export const assignableRestore: Verb = {
  name: 'assignable restore',
  summary: 'make the devices assignable that are kept so over restarts; run at boot',
  arguments: [],
  options: [dryRunOption],
  examples: [
    ['xenpt assignable restore', 'what add --persist has its systemd unit run'],
    ['xenpt assignable restore -N', 'what would be written where'],
  ],
  schema: {
    dryRun: flag,
    devices: list(
      object({
        sbdf: address,
        outcome: oneOf('taken', 'held', 'changed', 'absent', 'failed'),
        sentence: text,
        plan: planOrNull,
      }),
    ),
  },
  exitCodes: [ExitCode.failed, ExitCode.notFound, ExitCode.refused, ExitCode.timeout, ExitCode.noHypervisor],
  run: async ({ host, signal, onStep }, _words, options) => {
    const dryRun = options['dryRun'] === true;
    const devices = await restoreAssignable(host, { signal, onStep, dryRun });
    const isDone = ({ outcome }: RestoredDevice) => outcome === 'taken' || outcome === 'held';
    const worst = codes.find(([outcome]) => devices.some((device) => device.outcome === outcome));
    const done = dryRun
      ? formatPlan(devices.flatMap(({ plan }) => plan ?? []))
      : devices.filter(isDone).map(({ sentence }) => sentence).join('\n'); // prettier-ignore
    return {
      json: { dryRun, devices },
      text: devices.length === 0 ? 'No device is kept assignable; see xenpt assignable add --persist.' : done,
      notes: devices.filter((device) => !isDone(device)).map(({ sentence }) => sentence),
      exitCode: worst?.[1] ?? ExitCode.ok,
    };
  },
};
