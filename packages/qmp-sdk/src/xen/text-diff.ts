const CONTEXT_LINES = 3;

/**
 * The difference of two texts as patch(1) takes it, in one hunk: from the first line that differs to the last. Empty
 * for the same text.
 */
export function textDiff(path: string, before: string, after: string): string {
  if (before === after) return '';
  const [was, is] = [linesOf(before), linesOf(after)];
  const least = Math.min(was.length, is.length);
  let head = 0;
  while (head < least && was[head] === is[head]) head++;
  let tail = 0;
  while (tail < least - head && was.at(-1 - tail) === is.at(-1 - tail)) tail++;
  const from = Math.max(head - CONTEXT_LINES, 0);
  const to = Math.min(tail, CONTEXT_LINES);
  const range = (lines: readonly string[]) => {
    const count = lines.length - tail + to - from;
    return `${count === 0 ? from : from + 1},${count}`;
  };
  return [
    `--- ${path}`,
    `+++ ${path}`,
    `@@ -${range(was)} +${range(is)} @@`,
    ...was.slice(from, head).flatMap((line) => marked(' ', line)),
    ...was.slice(head, was.length - tail).flatMap((line) => marked('-', line)),
    ...is.slice(head, is.length - tail).flatMap((line) => marked('+', line)),
    ...was.slice(was.length - tail, was.length - tail + to).flatMap((line) => marked(' ', line)),
  ].join('\n');
}

/** Each with its line end, which the last one may lack. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function marked(mark: string, line: string): string[] {
  if (line.endsWith('\n')) return [mark + line.slice(0, -1)];
  return [mark + line, '\\ No newline at end of file'];
}
