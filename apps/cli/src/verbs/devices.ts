import { type GuestDevices, listGuestDevices } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import type { Style } from '../output/style.js';
import { formatTable } from '../output/table.js';
import type { Verb } from '../verb.js';
import { guestDevices } from '../output/guest-schema.js';

export const devices: Verb = {
  name: 'devices',
  summary: 'list the disks, network cards, displays and passed-through functions of a guest',
  arguments: [{ name: 'DOMAIN', description: 'id or name, as in xl list' }],
  examples: [['xenpt devices web', 'emulated ones from its QEMU, paravirtual ones from xenstore']],
  schema: guestDevices,
  exitCodes: [ExitCode.failed, ExitCode.notFound, ExitCode.noHypervisor],
  run: async ({ host, style, signal }, [domain = '']) => {
    const found = await listGuestDevices(host, domain, { signal });
    return { json: { ...found }, text: toText(found, style), notes: found.notes };
  },
};

function toText(found: GuestDevices, style: Style): string {
  const { domid, domainName, domainType } = found;
  const disks = found.disks.map(({ kind, name, source, format, sizeBytes, readOnly, cdrom, connected }) => [
    name,
    kind,
    cdrom ? 'cdrom' : readOnly ? 'read-only' : 'read-write',
    sizeBytes === null ? '-' : `${Math.ceil(sizeBytes / 2 ** 20)} MiB`,
    source === '' ? '-' : `${format === '' ? '' : `${format} `}${source}`,
    inUse(connected),
  ]);
  const nics = found.nics.map(({ kind, name, model, mac, network, connected }) => {
    return [name, kind, model, mac || '-', network || '-', inUse(connected)];
  });
  const displays = found.displays.map(({ kind, name, details }) => [name, kind, details]);
  const functions = found.passedThrough.map(({ sbdf, guestSbdf, model, options }) => {
    return [sbdf, guestSbdf ?? '-', model, describeOptions(options)];
  });
  const sections = [
    ...section(style, ['DISK', 'KIND', 'ACCESS', 'SIZE', 'SOURCE', 'DRIVER'], disks),
    ...section(style, ['NETWORK CARD', 'KIND', 'MODEL', 'MAC', 'NETWORK', 'DRIVER'], nics),
    ...section(style, ['DISPLAY', 'KIND', 'DETAILS'], displays),
    ...section(style, ['PASSED THROUGH', 'IN THE GUEST', 'MODEL', 'OPTIONS'], functions),
  ];
  const head = `${style.strong(domainName)}  domain ${domid}, ${domainType.toUpperCase()}`;
  return [head, ...(sections.length === 0 ? ['', 'no devices'] : sections)].join('\n');
}

/** Those that are not as they always are. */
function describeOptions({ permissive, rdmPolicy }: GuestDevices['passedThrough'][number]['options']): string {
  const words = [...(permissive ? ['permissive'] : []), ...(rdmPolicy === 'relaxed' ? ['rdm_policy=relaxed'] : [])];
  return words.join(' ') || '-';
}

/** Whether the guest's own driver has connected; QEMU cannot tell for what it emulates. */
function inUse(connected: boolean | null): string {
  return connected === null ? '-' : connected ? 'connected' : 'waiting';
}

function section(style: Style, head: string[], rows: string[][]): string[] {
  return rows.length === 0 ? [] : ['', formatTable(style, head, rows)];
}
