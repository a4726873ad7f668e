import type { Style } from './style.js';

export interface Column {
  readonly title: string;
  /** Cut first when a terminal is too narrow; off a terminal nothing is ever cut. */
  readonly elastic?: boolean;
  readonly paint?: (text: string, row: number) => string;
}

/** Less of a column says nothing. */
const FEWEST_COLUMNS = 16;

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
  const widths = columns.map(({ title }, index) =>
    rows.reduce((most, row) => Math.max(most, (row[index] ?? '').length), title.length),
  );
  const total = widths.reduce((sum, one) => sum + one + 2, -2);
  const elastic = columns.findIndex((column) => column.elastic);
  if (width !== undefined && total > width && elastic !== -1) {
    widths[elastic] = Math.max(FEWEST_COLUMNS, (widths[elastic] ?? 0) - (total - width));
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
