import { type GuestViewReport, guestView as viewGuest } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { hex } from '../output/json.js';
import type { Style } from '../output/style.js';
import { formatTable } from '../output/table.js';
import type { Verb } from '../verb.js';

export const guestView: Verb = {
  name: 'guest-view',
  summary: 'show what a guest sees of a device beside what the host has, register by register',
  arguments: [
    { name: 'DOMAIN', description: 'id or name, as in xl list' },
    { name: 'BDF', description: 'address such as 0000:03:00.0 or 03:00.0' },
  ],
  options: [{ flags: '--denied', description: 'only the registers that the guest tried to change and may not' }],
  examples: [
    ['xenpt guest-view web 03:00.0', 'a star marks what differs'],
    ['xenpt guest-view web 03:00.0 --denied', 'what a driver that does not work may have needed'],
  ],
  exitCodes: [ExitCode.failed, ExitCode.notFound, ExitCode.timeout, ExitCode.noHypervisor],
  run: async ({ host, style }, [domain = '', device = ''], { denied }) => {
    const report = await viewGuest(host, { domain, device });
    return { json: { view: report }, text: denied ? toDenied(report, style) : toText(report, style) };
  },
};

/** BAR sizing is not among them: it is what a guest should do. */
function toDenied({ sbdf, domid, domainName, denied }: GuestViewReport, style: Style): string {
  const title = `${style.strong(sbdf)} in domain ${domid} (${domainName})`;
  if (denied.length === 0) return `${title}: the guest changed nothing that it may not`;
  const rows = denied.map(({ offset, width, group, name, mask, count, allow }) => [
    hex(offset, 2),
    group,
    name,
    hex(mask, width * 2),
    String(count),
    allow ?? '-',
  ]);
  const head = ['OFFSET', 'GROUP', 'REGISTER', 'BITS', 'WRITES', 'ALLOWED BY'];
  return [`${title}: writes that did not reach the device`, ...section(style, head, rows)].join('\n');
}

function toText(report: GuestViewReport, style: Style): string {
  const { sbdf, domid, domainName, guestSbdf } = report;
  const registers = report.registers.map(({ offset, width, group, name, guest, host, differs, why }) => {
    const paint = differs ? style.warning : (text: string) => text;
    return [
      hex(offset, 2),
      group,
      name,
      paint(hex(guest, width * 2)),
      paint(hex(host, width * 2)),
      differs ? `* ${why ?? ''}` : '',
    ];
  });
  const bars = report.bars.map(({ index, kind, guestAddress, mapped, refusal, rounds }) => [
    index === 6 ? 'ROM' : `BAR ${index}`,
    kind,
    guestAddress === null ? '-' : `0x${guestAddress.toString(16)}`,
    mapped ? 'yes' : refusal === null ? 'no' : `no (${refusal})`,
    String(rounds),
  ]);
  const vectors = report.vectors.map(({ index, bound, pirq, masked }) => [
    String(index),
    bound ? 'yes' : 'no',
    pirq === null ? '-' : String(pirq),
    masked ? 'yes' : 'no',
  ]);
  const hidden = report.hidden.map(({ offset, name, reason }) => [hex(offset, 2), name, reason]);
  return [
    `${style.strong(sbdf)} as domain ${domid} (${domainName}) sees it at ${guestSbdf}`,
    ...section(style, ['OFFSET', 'GROUP', 'REGISTER', 'GUEST', 'HOST', 'DIFFERS'], registers),
    ...section(style, ['OFFSET', 'HIDDEN', 'BECAUSE'], hidden),
    ...section(style, ['RESOURCE', 'KIND', 'IN THE GUEST', 'MAPPED', 'ROUNDS'], bars),
    ...section(style, ['VECTOR', 'BOUND', 'PIRQ', 'MASKED'], vectors),
  ].join('\n');
}

function section(style: Style, head: string[], rows: string[][]): string[] {
  return rows.length === 0 ? [] : ['', formatTable(style, head, rows)];
}
