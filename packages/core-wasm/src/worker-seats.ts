import { ScanControl } from './worker-control.js';

/** Scans that run at once, in the control words that workers know already, before others have to be introduced. */
const FIRST_SEATS = 2;

/** The control words of a scan, and their place in the workers' table. */
export interface Seat {
  readonly index: number;
  readonly control: ScanControl;
}

/**
 * The control words of a pool's scans. They are used again, so that a scan can begin without a message that would have
 * to carry them.
 */
export class Seats {
  readonly #seats: Seat[] = [];
  readonly #free: Seat[] = [];
  readonly #threadCount: number;
  readonly #slotCount: number;
  readonly #introduce: (seat: Seat) => void;

  /**
   * @param threadCount the workers and the pool's own thread
   * @param slotCount for all of them, in the scan that needs most
   * @param introduce tells the workers of a new one
   */
  constructor(threadCount: number, slotCount: number, introduce: (seat: Seat) => void) {
    this.#threadCount = threadCount;
    this.#slotCount = slotCount;
    this.#introduce = introduce;
    for (let index = 0; index < FIRST_SEATS; index++) this.#free.push(this.#make(index));
  }

  /** What a new worker has to be told of. */
  get all(): readonly Seat[] {
    return this.#seats;
  }

  take(): Seat {
    const seat = this.#free.pop() ?? this.#make(this.#seats.length);
    seat.control.reset();
    return seat;
  }

  /** When all threads have left. */
  giveBack(seat: Seat): void {
    this.#free.push(seat);
  }

  /** Instead, when a thread that died may have left something behind: others take the place of these. */
  discard({ index }: Seat): void {
    this.#free.push(this.#make(index));
  }

  #make(index: number): Seat {
    const seat = { index, control: ScanControl.create(this.#threadCount, this.#slotCount) };
    this.#seats[index] = seat;
    this.#introduce(seat);
    return seat;
  }
}
