import { type Attached, attach as attachDevice } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import type { Verb } from '../verb.js';

export const attach: Verb = {
  name: 'attach',
  summary: 'give a device to an HVM guest, paused or running',
  arguments: [
    { name: 'DOMAIN', description: 'id or name, as in xl list' },
    {
      name: 'BDF[@VSLOT]',
      description: 'address, and the slot in the guest (hexadecimal; default: first free from 5)',
    },
  ],
  examples: [
    ['xenpt attach web 03:00.0', 'to the first free slot'],
    ['xenpt attach 5 0000:03:00.0@a', 'to slot 0a of domain 5'],
  ],
  exitCodes: [
    ExitCode.failed,
    ExitCode.notFound,
    ExitCode.refused,
    ExitCode.busy,
    ExitCode.rolledBack,
    ExitCode.manualRecovery,
    ExitCode.timeout,
    ExitCode.noHypervisor,
  ],
  run: async ({ host, signal }, [domain = '', spec = '']) => {
    const attached = await attachDevice(host, { domain, spec, signal });
    return { json: { attached }, text: toText(attached), notes: [...attached.warnings, ...rescanNote(attached)] };
  },
};

function toText({ sbdf, domid, domainName, guestSbdf, vectors, pirq, hidden }: Attached): string {
  const interrupts = vectors > 0 ? `${vectors} message vectors` : pirq === null ? 'no interrupt' : 'a line interrupt';
  const lines = [`${sbdf} is attached to domain ${domid} (${domainName}) as ${guestSbdf}, with ${interrupts}`];
  for (const { name, reason } of hidden) lines.push(`  hidden from the guest: ${name}: ${reason}`);
  return lines.join('\n');
}

/** The firmware of a paused guest will find the device by itself; an operating system that runs is not told. */
function rescanNote({ running, domid }: Attached): string[] {
  if (!running) return [];
  return [
    `Domain ${domid} is running, so its system has to look for the device. In Linux: echo 1 > /sys/bus/pci/rescan`,
  ];
}
