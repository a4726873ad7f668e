/** Where output goes that no terminal shows. */
export const PLAIN_COLUMNS = 100;
/** In fewer a table of registers is no table any more; the terminal breaks the lines. */
const FEWEST_COLUMNS = 80;

/** The columns that text may fill: the terminal's, or as many as a page has. */
export function columnsOf(terminal: { readonly columns: number } | undefined): number {
  return terminal === undefined ? PLAIN_COLUMNS : Math.max(FEWEST_COLUMNS, terminal.columns);
}

/** Puts pieces into lines of at most `columns`, by their lengths without colour; a longer piece stands alone. */
export function wrapPieces(
  pieces: readonly string[],
  columns: number,
  { between, paint = (piece) => piece }: { between: string; paint?: (piece: string, index: number) => string },
): string[] {
  const lines: string[] = [];
  let line = '';
  let length = 0;
  for (const [index, piece] of pieces.entries()) {
    const isLast = index === pieces.length - 1;
    const ending = isLast ? '' : between.trimEnd();
    const gap = length === 0 ? 0 : between.length - between.trimEnd().length;
    if (length > 0 && length + gap + piece.length + ending.length > columns) {
      lines.push(line);
      line = '';
      length = 0;
    }
    const space = ' '.repeat(length === 0 ? 0 : gap);
    line += space + paint(piece, index) + ending;
    length += space.length + piece.length + ending.length;
  }
  if (length > 0) lines.push(line);
  return lines;
}

/** Words in lines of at most `columns`. */
export function wrapWords(text: string, columns: number): string[] {
  return wrapPieces(text.split(' '), columns, { between: ' ' });
}
