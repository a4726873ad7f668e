/** What QEMU returned, for a person: text as it is, everything else as JSON; integers in full. */
export function formatResult(result: unknown): string {
  if (typeof result === 'string') return printable(result.trimEnd());
  // JSON.stringify has no way to print a bigint's digits: they go through marked text.
  const text = JSON.stringify(
    result,
    (_key, value: unknown) => (typeof value === 'bigint' ? `${MARK}${value}` : value),
    2,
  );
  return printable((text ?? 'null').replace(MARKED, '$1'));
}

/** One line for an event: when, what, and its data. */
export function formatEvent({ event, data, timestamp }: PrintableEvent): string {
  const at =
    timestamp.seconds < 0 ? '-' : new Date(timestamp.seconds * 1000 + timestamp.microseconds / 1000).toISOString();
  const details = data === undefined ? '' : ` ${formatResult(data).replace(/\n\s*/g, ' ')}`;
  return printable(`${at} ${event}${details}`);
}

export interface PrintableEvent {
  readonly event: string;
  readonly data?: unknown;
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
}

/** A guest that took over its QEMU writes this text: nothing in it reaches a terminal as an order. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, '?');
}

const MARK = '\uE000';
const MARKED = /"\uE000(-?\d+)"/g;
