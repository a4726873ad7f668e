/** JSON as QEMU prints it: ASCII, blanks after `,` and `:`, `\uXXXX` in upper case, `inf` and `nan` bare. */
export function printJson(value: unknown, pretty: boolean): string {
  return print(value, pretty, 0);
}

function print(value: unknown, pretty: boolean, depth: number): string {
  if (typeof value === 'string') return printString(value);
  if (typeof value === 'number') return printNumber(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null)
    return value === true ? 'true' : value === false ? 'false' : 'null';
  if (Array.isArray(value)) {
    const items = value.map((item) => print(item, pretty, depth + 1));
    return printItems('[', items, ']', pretty, depth);
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${printString(name)}: ${print(member, pretty, depth + 1)}`);
  return printItems('{', members, '}', pretty, depth);
}

function printItems(open: string, items: readonly string[], close: string, pretty: boolean, depth: number): string {
  if (!pretty) return `${open}${items.join(', ')}${close}`;
  const inner = `\r\n${' '.repeat(4 * (depth + 1))}`;
  const separated = items.map((item) => `${inner}${item}`).join(',');
  return `${open}${separated}\r\n${' '.repeat(4 * depth)}${close}`;
}

function printNumber(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '0' : String(value);
  return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf';
}

function printString(text: string): string {
  return JSON.stringify(text).replace(/[\x7f-\uffff]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return `\\u${code}`;
  });
}
