// What a guest may expect of its interrupts, said anew and without regard to how it is done: after each step, which
// vectors are delivered to it from now on, and what the hardware is told.

/** How things stand for a guest with MSI-X; `latched` is the message that an entry delivers, null for none. */
export interface MsiXState {
  readonly enabled: boolean;
  readonly functionMasked: boolean;
  readonly decodes: boolean;
  /** Where the BAR with the table stands, 0 for nowhere. */
  readonly place: number;
  readonly entries: readonly {
    readonly vector: number;
    readonly masked: boolean;
    readonly latched: number | null;
  }[];
}

export type MsiXStep =
  | { readonly kind: 'control'; readonly enabled: boolean; readonly functionMasked: boolean }
  | { readonly kind: 'decode'; readonly on: boolean }
  | { readonly kind: 'move'; readonly place: number }
  | { readonly kind: 'write'; readonly entry: number; readonly vector: number }
  | { readonly kind: 'mask'; readonly entry: number; readonly masked: boolean }
  | { readonly kind: 'reset' };

const afterReset = { vector: 0, masked: true, latched: null } as const;

export function initialMsiX(entryCount: number, place: number): MsiXState {
  const entries = Array.from({ length: entryCount }, () => afterReset);
  return { enabled: false, functionMasked: false, decodes: true, place, entries };
}

/** The table is where a guest can reach it; without that MSI-X is off in hardware (M15). */
export const isPlaced = ({ decodes, place }: MsiXState): boolean => decodes && place !== 0;
export const isOn = (state: MsiXState): boolean => state.enabled && isPlaced(state);

export function nextMsiX(state: MsiXState, step: MsiXStep): MsiXState {
  switch (step.kind) {
    case 'control':
      return settled(state, { ...state, enabled: step.enabled, functionMasked: step.functionMasked });
    case 'decode':
      return settled(state, { ...state, decodes: step.on });
    case 'move':
      return settled(state, { ...state, place: step.place });
    case 'reset':
      return { ...initialMsiX(state.entries.length, 0), decodes: false };
    case 'write':
      return withEntry(state, step.entry, (entry) => ({ ...entry, vector: step.vector }));
    case 'mask':
      return withEntry(state, step.entry, (entry) => {
        const takesMessage = !step.masked && isOn(state) && !state.functionMasked;
        return { ...entry, masked: step.masked, latched: takesMessage ? entry.vector : entry.latched };
      });
  }
}

/** Accesses to a table that is nowhere go nowhere. */
function withEntry(
  state: MsiXState,
  index: number,
  change: (entry: MsiXState['entries'][number]) => MsiXState['entries'][number],
): MsiXState {
  if (!isPlaced(state)) return state;
  return { ...state, entries: state.entries.map((entry, at) => (at === index ? change(entry) : entry)) };
}

/** What is off delivers nothing; what comes to be on, or unmasked as a whole, delivers what stands in the table. */
function settled(before: MsiXState, after: MsiXState): MsiXState {
  const hasMoved = before.place !== after.place;
  const comesOn = isOn(after) && (!isOn(before) || hasMoved || before.functionMasked) && !after.functionMasked;
  const goesOff = !isOn(after) || hasMoved;
  const entries = after.entries.map((entry) => {
    const kept = goesOff ? null : entry.latched;
    return { ...entry, latched: comesOn && !entry.masked ? entry.vector : kept };
  });
  return { ...after, entries };
}

/** MSI: the message is one for all vectors, the vector's number in its low bits. */
export interface MsiState {
  /** 0 for off. */
  readonly vectorCount: number;
  readonly vector: number;
  readonly mask: number;
}

export type MsiStep =
  | { readonly kind: 'enable'; readonly vectorCount: number }
  | { readonly kind: 'message'; readonly vector: number }
  | { readonly kind: 'mask'; readonly mask: number }
  | { readonly kind: 'reset' };

export const initialMsi: MsiState = { vectorCount: 0, vector: 0, mask: 0 };

export function nextMsi(state: MsiState, step: MsiStep): MsiState {
  switch (step.kind) {
    case 'enable':
      return { ...state, vectorCount: step.vectorCount };
    case 'message':
      return { ...state, vector: step.vector };
    case 'mask':
      return { ...state, mask: step.mask };
    case 'reset':
      return initialMsi;
  }
}

export function deliveredMsi({ vectorCount, vector, mask }: MsiState): number[] {
  const all = Array.from({ length: vectorCount }, (_, index) => index);
  return all.filter((index) => ((mask >>> index) & 1) === 0).map((index) => (vector & ~(vectorCount - 1)) | index);
}
