const MAX_LENGTH = 120;
/** Within a longer text, and as the whole of it: `0/03:00.0`, `03/00/0`. */
const addressLike = [/[0-9a-fx]+(?:[:._ -]+[0-9a-fx*]+){1,3}/gi, /^[0-9a-fx]+(?:[:._/ -]+[0-9a-fx*]+){1,3}$/gi];

/**
 * The text with the address in it put right: letters for digits, other or doubled separators, missing zeros, a decimal
 * device, a missing function.
 *
 * @param isRight judges a candidate; nothing else is suggested
 */
export function suggestDevice(text: string, isRight: (candidate: string) => boolean): string | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const trimmed = text.trim().replace(/\s+/g, '');
  for (const repaired of [trimmed, text.trim(), trimmed.replace(/[oO]/g, '0').replace(/[lI]/g, '1')]) {
    if (repaired !== text && isRight(repaired)) return repaired;
    for (const match of addressLike.flatMap((pattern) => [...repaired.matchAll(pattern)])) {
      const before = repaired.slice(0, match.index);
      const after = repaired.slice(match.index + match[0].length);
      for (const address of candidates(match[0])) {
        const candidate = before + address + after;
        if (isRight(candidate)) return candidate;
      }
    }
  }
  return undefined;
}

/** The address in the spellings that the dialects use, canonical first. */
function candidates(address: string): string[] {
  const parts = address
    .toLowerCase()
    .split(/[:._/ -]+/)
    .map((part) => part.replace(/^0x/, ''));
  // A dot stands before a function, so nothing is missing behind it.
  const spelled = address.includes('.') && parts.length < 4 ? [parts] : [parts, [...parts, '0']];
  return spelled.flatMap((whole) => {
    const [fn = '', device = '', bus = '', segment = '0'] = [...whole].reverse();
    if (!/^[0-7*]$/.test(fn) || !/^[0-9a-f]{1,4}$/.test(bus)) return [];
    const slot = slotOf(device);
    if (slot === undefined || Number.parseInt(bus, 16) > 0xff) return [];
    const short = bus.replace(/^0+(?=..)/, '').padStart(2, '0');
    const long = segment.replace(/^0+(?=....)/, '').padStart(4, '0');
    return [
      `${long}:${short}:${slot}.${fn}`,
      `${long}_${short}_${slot}_${fn}`,
      `${long}_${short}_${slot}.${fn}`,
      `${short}_${slot}.${fn}`,
    ];
  });
}

/** `31` can only have been decimal. */
function slotOf(text: string): string | undefined {
  const hexadecimal = Number.parseInt(text, 16);
  if (hexadecimal <= 0x1f) return hexadecimal.toString(16).padStart(2, '0');
  const decimal = /^[0-9]+$/.test(text) ? Number(text) : NaN;
  return decimal <= 0x1f ? decimal.toString(16).padStart(2, '0') : undefined;
}
