import { IoreqMeter } from '@xenpt/xen-bindings';
import { effectTypes, type EffectType, type MessageKind } from './effects.js';
import { hypervisorCalls, type CallName } from './hypervisor.js';
import { requestKinds, type RequestKind } from './request-kinds.js';

/** What takes the worker's time outside of its own code; the worker writes which of them it is in. */
const activities = ['none', ...hypervisorCalls, 'saveState', 'resetFunction'] as const;
export type Activity = 'none' | CallName | 'saveState' | 'resetFunction';

/** How interrupts come to a guest: by its line, or by messages of a kind. */
export const interruptKinds = ['intx', 'msi', 'msi-x'] as const;
export type InterruptKind = 'intx' | MessageKind;

/** What the worker counts, all since the process was started. */
export interface Counts {
  /** Requests answered, by kind. */
  readonly requests: Readonly<Record<RequestKind, number>>;
  /** Configuration writes of which no bit could take effect. */
  readonly deniedWrites: number;
  /** Effects performed, by type. */
  readonly effects: Readonly<Record<EffectType, number>>;
  /** Effects refused by Xen or the host, by type. */
  readonly failedEffects: Readonly<Record<EffectType, number>>;
  /**
   * Interrupts bound to a vector or line of the guest, by kind. How many were sent nobody counts: from then on they go
   * from Xen to the guest without us.
   */
  readonly interrupts: Readonly<Record<InterruptKind, number>>;
}

const wordBytes = 8;
const listWords = requestKinds.length + 2 * effectTypes.length + interruptKinds.length;
const deniedWord = listWords;
const activityWord = listWords + 1;
const sizeBytes = IoreqMeter.sizeBytes + (listWords + 2) * wordBytes;

const [activityIndex, effectIndex, interruptIndex] = [
  places(activities),
  places(effectTypes),
  places(interruptKinds),
];

/**
 * Counters in memory that the worker writes and the main thread reads, also while the worker hangs. Doubles, exact up
 * to 2^53: at 100,000 requests a second, after 2,800 years.
 */
export class Statistics {
  readonly buffer: SharedArrayBuffer;
  readonly meter: IoreqMeter;
  readonly #words: Float64Array;
  readonly #requests: Float64Array;
  readonly #effects: Float64Array;
  readonly #failedEffects: Float64Array;
  readonly #interrupts: Float64Array;

  /** @param buffer of another thread's statistics; left out, new ones */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(sizeBytes)) {
    this.buffer = buffer;
    this.meter = new IoreqMeter(buffer);
    const words = new Float64Array(buffer, IoreqMeter.sizeBytes);
    let next = 0;
    const take = (list: readonly string[]) => words.subarray(next, (next += list.length));
    this.#requests = take(requestKinds);
    this.#effects = take(effectTypes);
    this.#failedEffects = take(effectTypes);
    this.#interrupts = take(interruptKinds);
    this.#words = words;
  }

  /** @param kind its place in `requestKinds` */
  countRequest(kind: number): void {
    this.#requests[kind] = (this.#requests[kind] ?? 0) + 1;
  }

  countDeniedWrite(): void {
    this.#words[deniedWord] = (this.#words[deniedWord] ?? 0) + 1;
  }

  countEffect(type: EffectType, succeeded: boolean): void {
    increment(succeeded ? this.#effects : this.#failedEffects, effectIndex[type]);
  }

  countInterrupt(kind: InterruptKind): void {
    increment(this.#interrupts, interruptIndex[kind]);
  }

  get activity(): Activity {
    return activities[this.#words[activityWord] ?? 0] ?? 'none';
  }

  set activity(activity: Activity) {
    this.#words[activityWord] = activityIndex[activity];
  }

  get requests(): Readonly<Record<RequestKind, number>> {
    return named(requestKinds, this.#requests);
  }

  get counts(): Counts {
    return {
      requests: this.requests,
      deniedWrites: this.#words[deniedWord] ?? 0,
      effects: named(effectTypes, this.#effects),
      failedEffects: named(effectTypes, this.#failedEffects),
      interrupts: named(interruptKinds, this.#interrupts),
    };
  }
}

function increment(counts: Float64Array, index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}

function places<K extends string>(names: readonly K[]): Readonly<Record<K, number>> {
  return Object.fromEntries(names.map((name, index) => [name, index])) as Record<K, number>;
}

function named<K extends string>(names: readonly K[], counts: Float64Array): Record<K, number> {
  return Object.fromEntries(names.map((name, index) => [name, counts[index] ?? 0])) as Record<K, number>;
}
