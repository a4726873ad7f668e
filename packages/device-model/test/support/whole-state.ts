import type { CallIntent } from '../../src/journalled-hypervisor.js';
import type { LedgerSaved } from '../../src/ledger.js';
import type { MsiXSaved } from '../../src/msi-x.js';
import type { GuestSaved } from '../../src/state.js';
import type { FakeDevice } from '../../src/testing/index.js';

/** pirqs of messages are from here on. */
const firstMessagePirq = 48;

/** Which number a message's pirq has decides nothing: Xen gives another where one was lost, and has enough of them. */
export const withoutNumbers = (phrase: string): string =>
  phrase.replace(/^pirq (\d+)/, (whole, pirq) => (Number(pirq) < firstMessagePirq ? whole : 'pirq m'));

const aboutPirqs = new Set<string>(['unmapPirq', 'bindMsi', 'unbindMsi']);

export function textOfIntent(intent: CallIntent | null): string {
  if (intent === null) return '';
  return text({ ...intent, values: aboutPirqs.has(intent.name) ? intent.values.slice(1) : intent.values });
}

/**
 * All of a saved state that decides anything: not what the device said once, nor how often a BAR was placed, nor where
 * the table of MSI-X was when that was on last, which is said anew when it is turned on. A dead guest's registers
 * decide nothing, as they are not asked again.
 */
export function textOf(saved: GuestSaved, isGuestAlive = true): string {
  const functions = isGuestAlive ? saved.functions : saved.functions.map((one) => ({ ...one, guest: null }));
  return text({ ...saved, functions, intent: textOfIntent(saved.intent) });
}

function text(value: unknown): string {
  return JSON.stringify(value, (key, one: unknown) => {
    if (key === 'image' || key === 'rounds') return undefined;
    if (key === 'pirq' && Number(one) >= firstMessagePirq) return 'm';
    if (typeof one === 'bigint') return one.toString(16);
    if (key === 'msix' && one !== null && !(one as MsiXSaved).active) return { ...one, tableAddress: 0n };
    if (one instanceof Map) return [...one];
    return ArrayBuffer.isView(one) ? (one as Uint32Array).join() : one;
  });
}

export function textOfRegisters(device: FakeDevice): string {
  return Array.from({ length: 64 }, (_, word) => device.read(word * 4, 4)).join();
}

/** What Xen must hold if the books are right, in the words of the strict hypervisor. */
export function heldOf({ functions, ejects }: GuestSaved): string[] {
  const ports = ejects.isClaimed ? ['claimed ports 0xae08 +0x4'] : [];
  return [...functions.flatMap(({ ledger }) => heldOfLedger(ledger)), ...ports].map(withoutNumbers).sort();
}

function heldOfLedger({ guestDevfn, claims, bars, stalePieces, messages, intx }: LedgerSaved): string[] {
  const pieces = [...[...bars.values()].flat(), ...stalePieces];
  return [
    ...(guestDevfn === null ? [] : [`function 0x${guestDevfn.toString(16)}`]),
    ...claims.map(({ start, end }) => `claimed memory 0x${start.toString(16)} +0x${(end - start + 1n).toString(16)}`),
    ...pieces.flatMap((piece) => {
      if (piece.kind === 'io') return [`mapped ports 0x${piece.guest.toString(16)} +0x${piece.count.toString(16)}`];
      const { gfn, mfn, count } = piece;
      return [`mapped frames 0x${gfn.toString(16)} +0x${count.toString(16)}`, `${gfn} ${mfn} ${count}`];
    }),
    ...messages.flatMap(({ kind, entry, pirq, bound }) => [
      `pirq ${pirq} for ${kind} ${entry}`,
      ...(bound === null ? [] : [`pirq ${pirq} to ${bound.vector}, ${bound.flags}, ${bound.tableAddress}`]),
    ]),
    ...(intx === null ? [] : [`pirq ${intx.pirq} for line ${intx.gsi}`]),
    ...(intx?.bound === true ? [`pirq ${intx.pirq} to ${intx.guestDevice}.${intx.intx}`] : []),
  ];
}
