import type { Activity } from './statistics.js';

/** What a guest is kept waiting by. */
export interface Waiting {
  /** `a read of 4 bytes at register 0x10 of 00:05.0 by vCPU 0`, or `attach` of a caller. */
  readonly what: string;
  readonly ageMs: number;
  /** The call to Xen or the work it is in; null: it is in our own code, or in an access to the device. */
  readonly waitsFor: string | null;
}

/** One that is told from others of the same words. */
export interface WaitingNow extends Waiting {
  readonly key: string;
}

/** Nothing that a guest asks takes this long, unless something hangs. */
export const lateMs = 2000;

/** In a dom0 with one processor each look keeps some guest waiting. */
const checkIntervalMs = lateMs;

/**
 * Looks again and again at what is being answered, from another thread than the one that answers, and says when that
 * takes too long: once for each, and once more when it has come to an end.
 */
export class Watchdog {
  /** How many have been late so far. */
  late = 0;
  readonly #look: () => WaitingNow | null;
  readonly #report: (line: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #reported: WaitingNow | null = null;

  constructor(look: () => WaitingNow | null, report: (line: string) => void) {
    this.#look = look;
    this.#report = report;
  }

  start(): void {
    this.#timer = setInterval(() => this.check(), checkIntervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  check(): void {
    const now = this.#look();
    if (this.#reported !== null && now?.key !== this.#reported.key) {
      this.#report(`${this.#reported.what} has come to an end`);
      this.#reported = null;
    }
    if (now === null || now.ageMs < lateMs || this.#reported !== null) return;
    this.late += 1;
    this.#reported = now;
    this.#report(describeWaiting(now));
  }
}

export function describeWaiting({ what, ageMs, waitsFor }: Waiting): string {
  const reason = waitsFor === null ? 'the device or our own code' : waitsFor;
  return `${what} has had no answer for ${(ageMs / 1000).toFixed(1)} s; it waits for ${reason}`;
}

/** Null for our own code. */
export function describeActivity(activity: Activity): string | null {
  switch (activity) {
    case 'none':
      return null;
    case 'saveState':
      return 'the disk, where its state is kept';
    case 'resetFunction':
      return 'the reset of the device';
    default:
      return `Xen: ${activity}`;
  }
}

const typeNames: Readonly<Record<number, string>> = { 0: 'port', 1: 'address', 7: 'time offset', 8: 'invalidate' };

/** @param request 32 bytes, as `IoreqPort.request` of `@xenpt/xen-bindings` */
export function describeRequest(vcpu: number, request: DataView): string {
  const [type, size, count] = [request.getUint8(31), request.getUint32(20, true), request.getUint32(16, true)];
  const address = request.getBigUint64(0, true);
  const access = (request.getUint8(30) & 0x20) !== 0 ? 'read' : 'write';
  const times = count > 1 ? `, ${count} times,` : '';
  const isConfig = type === 2;
  const name = typeNames[type];
  if (!isConfig && (type > 1 || name === undefined)) return `a request of type ${name ?? type} by vCPU ${vcpu}`;
  const place = isConfig
    ? `register ${hex(address & 0xffff_ffffn)} of ${slotOf(address)}`
    : `${name} ${hex(address)}`;
  return `a ${access} of ${size} bytes${times} at ${place} by vCPU ${vcpu}`;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** `00:05.0` of a guest: bus, device, function. */
function slotOf(address: bigint): string {
  const devfn = Number((address >> 32n) & 0xffffn);
  const [bus, device] = [devfn >> 8, (devfn >> 3) & 0x1f].map((value) => value.toString(16).padStart(2, '0'));
  return `${bus}:${device}.${devfn & 7}`;
}
