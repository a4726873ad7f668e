import { initialMsiX, isOn, isPlaced, nextMsiX, type MsiXState, type MsiXStep } from './message-oracle.js';
import { home, slot } from './rig.js';

// What a guest has of a card with one MSI-X vector, and what Xen holds for it, said anew and without regard to how it
// is done. The vector's messages are told by message-oracle.ts.

export interface ExpectedCard {
  readonly msix: MsiXState;
  /** The vector has a pirq. */
  readonly hasPirq: boolean;
  /** The BAR was accessed where it stands. */
  readonly isTouched: boolean;
  readonly isEjected: boolean;
}

export interface ExpectedGuest {
  readonly card: ExpectedCard | null;
  /** Ejects come to the model. */
  readonly isExpecting: boolean;
  readonly slots: number;
}

export const nothingExpected: ExpectedGuest = { card: null, isExpecting: false, slots: 0 };
export const places = { home: home.bar3, elsewhere: home.bar3 + 0x10_0000 } as const;
export const messageVector = 0x30;
const ownSlot = 1 << (slot >>> 3);

/** Who does it, when it can be done, and what becomes of it. */
export interface Act {
  readonly by: 'guest' | 'host';
  readonly isPossible: (guest: ExpectedGuest) => boolean;
  readonly next: (guest: ExpectedGuest) => ExpectedGuest;
}

const isServing = ({ card }: ExpectedGuest) => card?.isEjected === false;

const byGuest = (...steps: MsiXStep[]): Act => ({
  by: 'guest',
  isPossible: isServing,
  next: (guest) => steps.reduce(afterStep, guest),
});

function afterStep(guest: ExpectedGuest, step: MsiXStep): ExpectedGuest {
  const { card } = guest;
  if (card === null) return guest;
  const msix = nextMsiX(card.msix, step);
  const hasPirq = msix.enabled && (card.hasPirq || msix.entries.some(({ latched }) => latched !== null));
  const isTouched = card.isTouched && isPlaced(msix) && msix.place === card.msix.place;
  return { ...guest, card: { ...card, msix, hasPirq, isTouched } };
}

const decode = (on: boolean) => ({ kind: 'decode' as const, on });
const move = (place: number) => ({ kind: 'move' as const, place });
const control = (enabled: boolean) => ({ kind: 'control' as const, enabled, functionMasked: false });
const unmask: readonly MsiXStep[] = [
  { kind: 'write', entry: 0, vector: messageVector },
  { kind: 'mask', entry: 0, masked: false },
];

export const acts = {
  attach: {
    by: 'host',
    isPossible: ({ card }) => card === null,
    next: (guest) => ({
      ...guest,
      slots: guest.slots & ~ownSlot,
      card: { msix: { ...initialMsiX(1, 0), decodes: false }, hasPirq: false, isTouched: false, isEjected: false },
    }),
  },
  detach: {
    by: 'host',
    isPossible: ({ card }) => card !== null,
    next: (guest) => ({ ...guest, slots: guest.slots & ~ownSlot, card: null }),
  },
  stop: { by: 'host', isPossible: () => true, next: () => nothingExpected },
  home: byGuest(move(places.home)),
  move: byGuest(move(places.elsewhere)),
  decode: byGuest(decode(true)),
  hide: byGuest(decode(false)),
  enable: byGuest(control(true)),
  disable: byGuest(control(false)),
  unmask: byGuest(...unmask),
  reset: byGuest({ kind: 'reset' }),
  touch: {
    by: 'guest',
    isPossible: ({ card }) => card !== null && !card.isEjected && isPlaced(card.msix),
    next: (guest) => ({ ...guest, card: guest.card && { ...guest.card, isTouched: true } }),
  },
  drive: {
    ...byGuest(move(places.home), decode(true), control(true), ...unmask),
    isPossible: (guest) => isServing(guest) && guest.card?.msix.place === 0,
  },
  expect: { by: 'host', isPossible: () => true, next: (guest) => ({ ...guest, isExpecting: true }) },
  passOn: {
    by: 'host',
    isPossible: ({ isExpecting }) => isExpecting,
    next: (guest) => ({ ...guest, slots: guest.slots & ~ownSlot }),
  },
  ignore: { by: 'host', isPossible: () => true, next: (guest) => ({ ...guest, isExpecting: false }) },
  eject: {
    by: 'guest',
    isPossible: () => true,
    next: (guest) => {
      const { card, isExpecting, slots } = guest;
      if (!isExpecting) return guest;
      return { ...guest, slots: slots | ownSlot, card: card && { ...card, isEjected: true } };
    },
  },
} as const satisfies Record<string, Act>;

export type ActName = keyof typeof acts;

/** What a guest and Xen show of it. */
export interface Shown {
  readonly held: readonly string[];
  readonly vectors: readonly number[];
  readonly signals: boolean;
  readonly identity: number;
  readonly slots: number;
}

export function shownOf({ card, isExpecting, slots }: ExpectedGuest, mapsOnTouch: boolean): Shown {
  const ports = isExpecting ? ['claimed ports 0xae08 +0x4'] : [];
  if (card === null || card.isEjected) {
    const held = [...ports, ...(card === null ? [] : ['function 0x28'])];
    return { held, vectors: [], signals: false, identity: 0xffff_ffff, slots };
  }
  const { msix, hasPirq, isTouched } = card;
  const bar = isPlaced(msix) ? heldOfBar(msix.place, mapsOnTouch, isTouched) : [];
  return {
    held: [
      'function 0x28',
      'pirq 16 for line 16',
      ...(hasPirq ? ['pirq m for msi-x 0'] : []),
      ...bar,
      ...ports,
    ].sort(),
    vectors: msix.entries.map(({ latched }) => latched).filter((vector) => vector !== null),
    signals: isOn(msix),
    identity: 0x10d3_8086,
    slots,
  };
}

/** The BAR has four pages, of which the first has the table. */
function heldOfBar(place: number, mapsOnTouch: boolean, isTouched: boolean): string[] {
  const frames = `mapped frames 0x${(place / 4096 + 1).toString(16)} +0x3`;
  const claimed = `claimed memory 0x${place.toString(16)} +0x${mapsOnTouch ? '4000' : '1000'}`;
  return mapsOnTouch && !isTouched ? [claimed] : [claimed, frames];
}
