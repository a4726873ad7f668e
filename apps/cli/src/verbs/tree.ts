import { type InventoryEntry, listInventory } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { describeFunction, describeVerdict, functionJson, paintVerdict } from '../output/function.js';
import type { Style } from '../output/style.js';
import type { Verb } from '../verb.js';
import { listedFunctions } from '../output/inventory-schema.js';

/** Deeper than any bus: a tree that leads into itself ends here. */
const DEPTH_MAX = 64;

export const tree: Verb = {
  name: 'tree',
  summary: 'show which function is behind which bridge',
  arguments: [],
  sysroot: true,
  examples: [['xenpt tree', 'as lspci -t, with drivers and verdicts']],
  schema: listedFunctions,
  exitCodes: [ExitCode.failed, ExitCode.notFound],
  run: ({ host, style }) => {
    const { functions, notes } = listInventory(host);
    return {
      get json() {
        return { functions: functions.map(functionJson), notes };
      },
      get text() {
        return toText(functions, style);
      },
      notes,
    };
  },
};

function toText(functions: readonly InventoryEntry[], style: Style): string {
  const children = new Map<string | null, InventoryEntry[]>();
  for (const entry of functions) {
    const known = children.get(entry.parent);
    if (known === undefined) children.set(entry.parent, [entry]);
    else known.push(entry);
  }
  const roots = new Map<string, InventoryEntry[]>();
  for (const entry of children.get(null) ?? []) {
    const bus = entry.address.slice(0, -5);
    roots.set(bus, [...(roots.get(bus) ?? []), entry]);
  }
  return [...roots]
    .flatMap(([bus, entries]) => [style.strong(bus), ...branches(entries, children, style, '', 0)])
    .join('\n');
}

function branches(
  entries: readonly InventoryEntry[],
  children: ReadonlyMap<string | null, readonly InventoryEntry[]>,
  style: Style,
  indent: string,
  depth: number,
): string[] {
  if (depth === DEPTH_MAX) return [];
  return entries.flatMap((entry, index) => {
    const isLast = index === entries.length - 1;
    const below = branches(
      children.get(entry.address) ?? [],
      children,
      style,
      `${indent}${isLast ? '   ' : '│  '}`,
      depth + 1,
    );
    return [`${style.faint(`${indent}${isLast ? '└─' : '├─'}`)} ${lineOf(entry, style)}`, ...below];
  });
}

function lineOf(entry: InventoryEntry, style: Style): string {
  const { buses } = entry.config;
  const hex = (bus: number) => bus.toString(16).padStart(2, '0');
  const behind =
    buses === null
      ? ''
      : `  bus ${hex(buses.secondary)}${buses.subordinate > buses.secondary ? `-${hex(buses.subordinate)}` : ''}`;
  const driver = entry.driver === null ? '' : `  ${style.faint(`(${entry.driver})`)}`;
  const verdict = buses === null ? `  ${paintVerdict(style, entry.verdict)(describeVerdict(entry))}` : '';
  return `${style.strong(entry.address)} ${describeFunction(entry)}${behind}${driver}${verdict}`;
}
