export const SCHEMA_VERSION = 1;

/** One document. Fields are only ever added within a schema version. */
export function formatJson(fields: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...fields }, exact, 2)}\n`;
}

/** JSON numbers are exact to 2^53 only; addresses are not numbers but text. */
function exact(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}

/** `0x8086`, as ids are written everywhere. */
export function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
