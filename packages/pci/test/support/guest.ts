import type { GuestView } from '../../src/index.js';

/** The 256 bytes a guest reads first, by the plain rule: shadow where virtual, device elsewhere. */
export function initialGuestBytes(view: GuestView, config: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(256);
  for (const { index, rule } of view.words) {
    for (let lane = 0; lane < 4; lane += 1) {
      const virtual = (rule.virtual >>> (8 * lane)) & 0xff;
      const shadow = (rule.reset >>> (8 * lane)) & 0xff;
      bytes[4 * index + lane] = (shadow & virtual) | ((config[4 * index + lane] ?? 0xff) & ~virtual);
    }
  }
  return bytes;
}

/** The list as a guest's driver walks it, at most 48 hops; null when it does not end. */
export function guestChain(bytes: Uint8Array): number[] | null {
  const offsets: number[] = [];
  let pointer = ((bytes[6] ?? 0) & 0x10) === 0 ? 0 : (bytes[0x34] ?? 0);
  while (pointer !== 0) {
    if (offsets.length === 48) return null;
    offsets.push(pointer);
    pointer = bytes[pointer + 1] ?? 0;
  }
  return offsets;
}

/** The rule of a byte, each mask reduced to it. */
export function byteRule(view: GuestView, offset: number): { virtual: number; reset: number; shadowWrite: number } {
  const rule = view.words[offset >>> 2]?.rule;
  if (rule === undefined) throw new RangeError(`no word at ${offset}`);
  const shift = (offset & 3) * 8;
  const pick = (mask: number): number => (mask >>> shift) & 0xff;
  return { virtual: pick(rule.virtual), reset: pick(rule.reset), shadowWrite: pick(rule.shadowWrite) };
}
