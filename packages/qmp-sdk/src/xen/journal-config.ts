const VENDOR = 0x00;
const HEADER_TYPE = 0x0e;
const FIRST_BAR = 0x10;
const BAR_COUNT = 6;
const ROM = 0x30;
/** Bit 0 of the ROM's register is an enable bit, which drivers toggle. */
const ROM_ENABLE = 1;

/** A register that a reset without restore has changed. */
export interface LostAddress {
  readonly offset: number;
  /** What it was. */
  readonly value: number;
}

/**
 * What of the ids and base addresses differs: `vendor 8086 is now ffff`.
 *
 * @param before configuration space in hexadecimal
 */
export function configDifferences(before: string, now: Uint8Array): string[] {
  const was = fromHex(before);
  const word = (bytes: Uint8Array, offset: number): number =>
    (bytes[offset] ?? 0xff) | ((bytes[offset + 1] ?? 0xff) << 8);
  const ids = (['vendor', 'device'] as const).flatMap((name, index) => {
    const [old, current] = [word(was, VENDOR + 2 * index), word(now, VENDOR + 2 * index)];
    return old === current ? [] : [`${name} ${hex(old, 4)} is now ${hex(current, 4)}`];
  });
  if (ids.length > 0) return ids;
  return barsOf(before, now).map(({ offset, value }) => {
    return `register ${hex(offset, 2)} lost its address ${hex(value, 8)}`;
  });
}

/** Base addresses of an endpoint that were there before and are not now; none when another card answers. */
export function barsOf(before: string, now: Uint8Array): LostAddress[] {
  const was = fromHex(before);
  if (was.length < 64 || now.length < 64 || ((was[HEADER_TYPE] ?? 0) & 0x7f) !== 0) return [];
  const [old, current] = [new DataView(was.buffer), new DataView(now.buffer, now.byteOffset, now.byteLength)];
  if (old.getUint32(VENDOR, true) !== current.getUint32(VENDOR, true)) return [];
  const offsets = [...Array.from({ length: BAR_COUNT }, (_, index) => FIRST_BAR + 4 * index), ROM];
  return offsets.flatMap((offset) => {
    const ignored = offset === ROM ? ROM_ENABLE : 0;
    const [value, is] = [old.getUint32(offset, true), current.getUint32(offset, true)];
    return ((value ^ is) & ~ignored) === 0 ? [] : [{ offset, value }];
  });
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
