import type { Style } from './style.js';

export interface Column {
  readonly title: string;
  /** Cut when a terminal is too narrow, the first such column first; off a terminal nothing is ever cut. */
  readonly elastic?: boolean;
  readonly paint?: (text: string, row: number) => string;
}

/** Less of a column says nothing. */
const FEWEST_COLUMNS = 12;

/**
 * Columns without lines, like lspci and xl. Colour goes on after the widths are known, so it never moves anything.
 *
 * @param width of the terminal; undefined: not a terminal
 */
export function formatColumns(
  style: Style,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width?: number,
): string {
  const widths = widthsOf(columns, rows);
  let excess = width === undefined ? 0 : totalOf(widths) - width;
  for (const [index, { elastic }] of columns.entries()) {
    const room = widths[index] ?? 0;
    const cut = elastic === true ? Math.max(0, Math.min(excess, room - FEWEST_COLUMNS)) : 0;
    widths[index] = room - cut;
    excess -= cut;
  }
  const line = (cells: readonly string[], paint: (index: number) => (text: string) => string): string =>
    cells
      .map((cell, index) => {
        const room = widths[index] ?? 0;
        const text = cell.length > room ? `${cell.slice(0, room - 1)}…` : cell;
        return paint(index)(text) + (index === columns.length - 1 ? '' : ' '.repeat(room - text.length));
      })
      .join('  ')
      .trimEnd();
  const head = line(
    columns.map(({ title }) => title),
    () => style.strong,
  );
  const plain = (text: string): string => text;
  return [
    head,
    ...rows.map((row, at) => line(row, (index) => (text) => (columns[index]?.paint ?? plain)(text, at))),
  ].join('\n');
}

/** Whether a table has lines that are longer than a terminal is wide. */
export function isWiderThan(
  width: number | undefined,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): boolean {
  return width !== undefined && totalOf(widthsOf(columns, rows)) > width;
}

function widthsOf(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  return columns.map(({ title }, index) =>
    rows.reduce((most, row) => Math.max(most, (row[index] ?? '').length), title.length),
  );
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one + 2, -2);
}
