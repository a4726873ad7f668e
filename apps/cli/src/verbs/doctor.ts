import type { Finding, Severity } from '@xenpt/pci';
import { type Inventory, listInventory } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { formatColumns, isWiderThan } from '../output/columns.js';
import { findingJson } from '../output/function.js';
import type { Style } from '../output/style.js';
import { wrapWords } from '../output/wrap.js';
import { UsageError } from '../usage-error.js';
import type { Verb } from '../verb.js';
import { diagnosis } from '../output/inventory-schema.js';

/** What each value of `--fail-on` fails on. */
const failing: Readonly<Record<string, readonly Severity[]>> = {
  error: ['error'],
  warn: ['error', 'warning'],
};

export const doctor: Verb = {
  name: 'doctor',
  summary: 'look for what is wrong with passthrough on this host: devices, guests, kernel; each finding with its fix',
  arguments: [],
  options: [
    { flags: '--fail-on <LEVEL>', description: 'end with 1 when there is an `error`, or a `warn`ing too' },
    { flags: '--all', description: 'also what is only worth knowing' },
  ],
  sysroot: true,
  examples: [
    ['xenpt doctor', 'one line for each finding, what hurts most first'],
    ['xenpt doctor --fail-on=warn --json', 'for cron and CI'],
    ['xenpt explain boot-disk', 'what a finding means'],
  ],
  schema: diagnosis,
  exitCodes: [ExitCode.failed, ExitCode.notFound],
  run: ({ host, style, io }, _args, options) => {
    const level = options['failOn'];
    const fails = typeof level === 'string' ? failing[level] : [];
    if (fails === undefined) {
      throw new UsageError(`--fail-on ${String(level)} is no level`, 'Write --fail-on=error or --fail-on=warn.');
    }
    const inventory = listInventory(host);
    const shown = inventory.findings.filter(({ severity }) => options['all'] === true || severity !== 'info');
    const failed = inventory.findings.some(({ severity }) => fails.includes(severity));
    return {
      json: { findings: shown.map(findingJson), counts: countsOf(inventory.findings), notes: inventory.notes },
      text: toText(inventory, shown, style, io.terminal?.columns),
      notes: inventory.notes,
      exitCode: failed ? ExitCode.failed : ExitCode.ok,
    };
  },
};

function countsOf(findings: readonly Finding[]): Record<Severity, number> {
  const count = (wanted: Severity) => findings.filter(({ severity }) => severity === wanted).length;
  return { error: count('error'), warning: count('warning'), info: count('info') };
}

function toText(inventory: Inventory, shown: readonly Finding[], style: Style, width: number | undefined): string {
  const paint = { error: style.error, warning: style.warning, info: style.info } as const;
  const columns = [
    { title: 'SEVERITY', paint: (text: string, row: number) => paint[shown[row]?.severity ?? 'info'](text) },
    { title: 'SUBJECT', paint: style.strong },
    { title: 'RULE' },
    { title: 'FINDING' },
    { title: 'FIX' },
  ];
  const rows = shown.map(({ severity, subject, rule, message, fix }) => {
    return [severity, subject, rule, message, fix ?? `xenpt explain ${rule}`];
  });
  const { error, warning, info } = countsOf(inventory.findings);
  const guests = inventory.host.guestConfigs.length;
  const summary =
    `${count(error, 'error')}, ${count(warning, 'warning')}, ${info} worth knowing; looked at ` +
    `${count(inventory.functions.length, 'function')} and ${count(guests, 'guest configuration')}`;
  if (shown.length === 0) return summary;
  const isNarrow = width !== undefined && isWiderThan(width, columns, rows);
  const text = isNarrow ? formatNarrow(shown, paint, style, width) : formatColumns(style, columns, rows);
  return `${text}\n\n${summary}`;
}

/** A finding on lines of its own: in a narrow terminal a table would cut what matters. */
function formatNarrow(
  shown: readonly Finding[],
  paint: Readonly<Record<Severity, (text: string) => string>>,
  style: Style,
  width: number,
): string {
  return shown
    .flatMap(({ severity, subject, rule, message, fix }) => [
      `${paint[severity](severity)}  ${style.strong(subject)}  ${rule}`,
      ...wrapWords(message, width - 2).map((line) => `  ${line}`),
      `  fix: ${fix ?? `xenpt explain ${rule}`}`,
    ])
    .join('\n');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
