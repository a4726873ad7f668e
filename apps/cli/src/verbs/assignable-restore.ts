import { restoreAssignable, type RestoredDevice } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { address, list, object, oneOf, text } from '../json-schema.js';
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
  examples: [['xenpt assignable restore', 'what add --persist has its systemd unit run']],
  schema: {
    devices: list(
      object({ sbdf: address, outcome: oneOf('taken', 'held', 'changed', 'absent', 'failed'), sentence: text }),
    ),
  },
  exitCodes: [ExitCode.failed, ExitCode.notFound, ExitCode.refused, ExitCode.timeout, ExitCode.noHypervisor],
  run: async ({ host, signal, onStep }) => {
    const devices = await restoreAssignable(host, { signal, onStep });
    const isDone = ({ outcome }: RestoredDevice) => outcome === 'taken' || outcome === 'held';
    const worst = codes.find(([outcome]) => devices.some((device) => device.outcome === outcome));
    return {
      json: { devices },
      text:
        devices.length === 0
          ? 'No device is kept assignable; see xenpt assignable add --persist.'
          : devices.filter(isDone).map(({ sentence }) => sentence).join('\n'), // prettier-ignore
      notes: devices.filter((device) => !isDone(device)).map(({ sentence }) => sentence),
      exitCode: worst?.[1] ?? ExitCode.ok,
    };
  },
};
