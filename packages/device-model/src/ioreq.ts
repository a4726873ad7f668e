import { requestIndex, type RequestKind } from './request-kinds.js';
import { Statistics } from './statistics.js';

/**
 * Requests of a guest's processors, as Xen leaves them in the ioreq page (xen/include/public/hvm/ioreq.h):
 *
 *   byte   0        8        16      20     24         28    30      31
 *          | addr   | data   | count | size | vp_eport | pad | flags | type |
 *   flags  bits 3:0 state   bit 4 data_is_ptr   bit 5 read   bit 6 df (descending)
 *
 * PCI_CONFIG: addr[63:32] = guest SBDF, addr[31:0] = register. Everything in a request is the guest's choice: whatever
 * is in it, it is answered, with all ones for a read that makes no sense, and nothing thrown.
 */
export const requestBytes = 32;

const dataIsPointerBit = 0x10;
const readBit = 0x20;
const descendingBit = 0x40;

const portType = 0;
const copyType = 1;
const configType = 2;
const timeOffsetType = 7;
const invalidateType = 8;

/** Xen never repeats more often than a page has bytes (HVMEMUL repeat limit); what asks for more is refused. */
export const mostRepetitions = 4096;

const allOnes32 = 0xffff_ffff;
/** Above this an address is no exact Number; x86 has 52 address bits. */
const highestAddressUpper = 0x000f_ffff;

/**
 * A function as its guest's accesses meet it. What is written has 32 bits and either sign: V8 allocates numbers above
 * 2^31 when they are passed on, and negative ones it does not.
 */
export interface RequestTarget {
  readConfig(offset: number, width: number): number;
  writeConfig(offset: number, width: number, value: number): void;
  /** Low 32 bits, of either sign, of a read at the guest address for which the router last named it. */
  readMemory(size: number): number;
  /** Upper half of the last `readMemory`. */
  readonly high: number;
  /** At that address as well. */
  writeMemory(size: number, low: number, high: number): void;
}

/** A port as its guest's accesses meet it. */
export interface PortTarget {
  readPort(size: number): number;
  writePort(size: number, value: number): void;
}

/** Finds the function an access is for. */
export interface RequestRouter {
  /** @param guestSbdf segment << 16 | bus << 8 | device << 3 | function */
  bySbdf(guestSbdf: number): RequestTarget | undefined;
  /** @param addressLow 32 bits, either sign */
  byAddress(addressLow: number, addressHigh: number): RequestTarget | undefined;
  /** Undefined for a port that is not claimed (any more): such an access raced with a change of servers. */
  byPort(port: number): PortTarget | undefined;
}

/**
 * The guest's memory, for repeated accesses. `read` and `write` return false on any fault, and then nothing is known of
 * `bytes`.
 */
export interface GuestMemory {
  read(address: number, bytes: Uint8Array): boolean;
  write(address: number, bytes: Uint8Array): boolean;
  /** The request is over: nothing of the guest's memory stays mapped. */
  release(): void;
}

/** For where guest memory cannot be reached: every repeated access ends as if its buffer were not there. */
export const noGuestMemory: GuestMemory = { read: () => false, write: () => false, release: () => {} };

/** Answers requests one at a time. In the steady state (one value, configuration space) it allocates nothing. */
export class RequestHandler {
  /** The answer to the last request; meaningful for a read. */
  dataLow = 0;
  dataHigh = 0;
  readonly #router: RequestRouter;
  readonly #memory: GuestMemory;
  readonly #onFault: (error: unknown) => void;
  readonly #statistics: Statistics;
  readonly #element = new Uint8Array(8);
  readonly #elementView = new DataView(this.#element.buffer);

  /** @param onFault told of a defect of ours that made an access throw; the request is answered all the same */
  constructor(
    router: RequestRouter,
    memory: GuestMemory = noGuestMemory,
    onFault: (error: unknown) => void = () => {},
    statistics: Statistics = new Statistics(),
  ) {
    this.#router = router;
    this.#memory = memory;
    this.#onFault = onFault;
    this.#statistics = statistics;
  }

  get counts(): Readonly<Record<RequestKind, number>> {
    return this.#statistics.requests;
  }

  /** @param request a copy of the 32 bytes that nobody else can change */
  handle(request: DataView): void {
    this.dataLow = allOnes32;
    this.dataHigh = allOnes32;
    try {
      this.#dispatch(request);
    } catch (error) {
      this.#count(requestIndex.faulted);
      this.dataLow = allOnes32;
      this.dataHigh = allOnes32;
      this.#onFault(error);
    }
    this.#trim(request.getUint32(20, true));
  }

  #count(kind: number): void {
    this.#statistics.countRequest(kind);
  }

  /** The answer has the width that was asked for; a width that makes no sense gets all 64 bits. */
  #trim(size: number): void {
    if (!isAccessSize(size) || size === 8) return;
    this.dataHigh = 0;
    if (size < 4) this.dataLow &= size === 1 ? 0xff : 0xffff;
  }

  #dispatch(request: DataView): void {
    const type = request.getUint8(31);
    const flags = request.getUint8(30);
    const size = request.getUint32(20, true);
    const count = request.getUint32(16, true);
    if (type === timeOffsetType) return this.#count(requestIndex.timeOffset);
    // We keep no mapping of guest memory, so there is nothing to drop.
    if (type === invalidateType) return this.#count(requestIndex.invalidate);
    if (type !== configType && type !== copyType && type !== portType) return this.#count(requestIndex.unknown);
    this.#count(typeIndex(type));
    if (!isAccessSize(size) || count === 0 || count > mostRepetitions) return this.#count(requestIndex.refused);

    const addressLow = request.getInt32(0, true);
    const addressHigh = request.getUint32(4, true);
    const dataLow = request.getInt32(8, true);
    const dataHigh = request.getInt32(12, true);
    if ((flags & dataIsPointerBit) !== 0) {
      try {
        this.#repeat(type, flags, size, count, addressLow, addressHigh, dataLow, dataHigh);
      } finally {
        this.#memory.release();
      }
    } else if (type === configType) {
      // The register stays where it is, so repeating one value adds nothing.
      this.#config(addressLow, addressHigh, size, (flags & readBit) !== 0, dataLow);
    } else if (type === portType) {
      this.#port(addressLow, addressHigh, size, (flags & readBit) !== 0, dataLow);
    } else {
      this.#copySame(flags, size, count, addressLow, addressHigh, dataLow, dataHigh);
    }
  }

  #config(register: number, guestSbdf: number, size: number, isRead: boolean, value: number): void {
    const target = this.#router.bySbdf(guestSbdf);
    if (target === undefined || size === 8) return;
    if (!isRead) return target.writeConfig(register >>> 0, size, value);
    this.dataLow = target.readConfig(register >>> 0, size);
  }

  #port(port: number, upper: number, size: number, isRead: boolean, value: number): void {
    const target = upper === 0 ? this.#router.byPort(port >>> 0) : undefined;
    if (target === undefined || size === 8) return;
    if (!isRead) return target.writePort(size, value);
    this.dataLow = target.readPort(size);
  }

  #copy(addressLow: number, addressHigh: number, size: number, isRead: boolean, low: number, high: number): void {
    const target = this.#router.byAddress(addressLow, addressHigh);
    if (target === undefined) {
      this.dataLow = allOnes32;
      this.dataHigh = allOnes32;
      return;
    }
    if (!isRead) return target.writeMemory(size, low, high);
    this.dataLow = target.readMemory(size) >>> 0;
    this.dataHigh = target.high >>> 0;
  }

  /** One of several, at an address that may be past the ends of what there is. */
  #copyAt(address: number, size: number, isRead: boolean, low: number, high: number): void {
    this.#copy(address | 0, Math.floor(address / 2 ** 32), size, isRead, low, high);
  }

  /** One value for every element: `rep stos`, or a single access. */
  #copySame(
    flags: number,
    size: number,
    count: number,
    addressLow: number,
    addressHigh: number,
    low: number,
    high: number,
  ): void {
    if (addressHigh > highestAddressUpper) return this.#count(requestIndex.refused);
    const isRead = (flags & readBit) !== 0;
    if (count === 1) return this.#copy(addressLow, addressHigh, size, isRead, low, high);
    const start = joined(addressLow, addressHigh);
    const step = (flags & descendingBit) !== 0 ? -size : size;
    for (let index = 0; index < count; index += 1) this.#copyAt(start + index * step, size, isRead, low, high);
  }

  /** Elements in guest memory: `rep movs`, `rep ins`, `rep outs`. The first fault ends it. */
  #repeat(
    type: number,
    flags: number,
    size: number,
    count: number,
    addressLow: number,
    addressHigh: number,
    pointerLow: number,
    pointerHigh: number,
  ): void {
    if (pointerHigh >>> 0 > highestAddressUpper || (type === copyType && addressHigh > highestAddressUpper)) {
      return this.#count(requestIndex.refused);
    }
    const isRead = (flags & readBit) !== 0;
    const step = (flags & descendingBit) !== 0 ? -size : size;
    const pointer = joined(pointerLow, pointerHigh);
    const address = joined(addressLow, addressHigh);
    const bytes = this.#element.subarray(0, size);
    for (let index = 0; index < count; index += 1) {
      this.#elementView.setBigUint64(0, 0n);
      if (!isRead && !this.#memory.read(pointer + index * step, bytes)) return this.#fault();
      const low = this.#elementView.getUint32(0, true);
      const high = this.#elementView.getUint32(4, true);
      if (type !== copyType) {
        // Registers and ports stay where they are.
        this.dataLow = allOnes32;
        if (type === configType) this.#config(addressLow, addressHigh, size, isRead, low);
        else this.#port(addressLow, addressHigh, size, isRead, low);
      } else {
        this.#copyAt(address + index * step, size, isRead, low, high);
      }
      if (!isRead) continue;
      this.#elementView.setUint32(0, this.dataLow, true);
      this.#elementView.setUint32(4, this.dataHigh, true);
      if (!this.#memory.write(pointer + index * step, bytes)) return this.#fault();
    }
  }

  #fault(): void {
    this.#count(requestIndex.refused);
    this.dataLow = allOnes32;
    this.dataHigh = allOnes32;
  }
}

function typeIndex(type: number): number {
  return type === configType ? requestIndex.config : type === copyType ? requestIndex.copy : requestIndex.port;
}

function joined(low: number, high: number): number {
  return high * 2 ** 32 + (low >>> 0);
}

function isAccessSize(size: number): boolean {
  return size === 1 || size === 2 || size === 4 || size === 8;
}
