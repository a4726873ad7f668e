import { requireDomid, requireInteger, requireTimeout, requireU16, requireU32 } from './arguments.js';
import { openNative } from './availability.js';
import { fromNative } from './errors.js';
import type { IoreqMeter } from './ioreq-meter.js';
import type { NativeIoreqPort } from './native-types.js';

/** Negative results of {@link IoreqPort.next}. */
export const IoreqEvent = { timedOut: -1, woken: -2, channelFailed: -3 } as const;

const requestBytes = 32;

/** Requests in one page: 4096 / 32. */
export const IOREQ_VCPU_COUNT_MAX = 128;

export interface IoreqPortOptions {
  readonly domid: number;
  /** Of `DeviceModel.createIoreqServer`; its page was mapped once, and after that it was enabled. */
  readonly serverId: number;
  /** Of `DeviceModel.nrVcpus`, 1 to 128. */
  readonly vcpuCount: number;
  /** `WakeEvent.port` of the thread that will stop this one; 0 for none. */
  readonly wakePort: number;
  /** Written for each request, for other threads to read. */
  readonly meter?: IoreqMeter;
}

/**
 * The requests of a guest's vCPUs to one ioreq server: its page, and one event channel per vCPU. For a thread of
 * its own, which next() blocks. While a request is open its vCPU stands still: there is no timeout in Xen.
 *
 * A page that a killed process left behind is taken over: requests that wait in it come out of next() first.
 */
export class IoreqPort {
  readonly #native: NativeIoreqPort;
  /**
   * The request that next() returned last, 32 bytes, little-endian, copied once (xen/include/public/hvm/ioreq.h):
   * ```
   * 0 addr u64 | 8 data u64 | 16 count u32 | 20 size u32 | 24 vp_eport u32 | 28 – | 30 state and flags | 31 type
   * byte 30: bits 0-3 state, 4 data_is_ptr, 5 dir (1 read), 6 df
   * ```
   */
  readonly request: DataView;
  /** Data of the answer, low half first; the addon takes it from here. */
  readonly #answer: Uint32Array;

  private constructor(native: NativeIoreqPort) {
    const buffer = native.buffer();
    this.#native = native;
    this.request = new DataView(buffer, 0, requestBytes);
    this.#answer = new Uint32Array(buffer, requestBytes, 2);
  }

  /**
   * @throws XenUnavailableError; XenError `XEN_IOREQ_NOT_ENABLED` when a vCPU has no event channel; XenCallError
   */
  static open(options: IoreqPortOptions): IoreqPort {
    const { domid, serverId, vcpuCount, wakePort, meter } = options;
    requireDomid(domid);
    requireU16('serverId', serverId);
    requireInteger('vcpuCount', vcpuCount, 1, IOREQ_VCPU_COUNT_MAX);
    requireU32('wakePort', wakePort);
    return new IoreqPort(
      openNative(
        ['xenforeignmemory', 'xenevtchn'],
        (addon) => new addon.IoreqPort(domid, serverId, vcpuCount, wakePort, meter?.words),
      ),
    );
  }

  /**
   * Blocks this thread until a vCPU has a request. Returns the vCPU (0 and up), its request in `request` and now
   * ours; or -1 after `timeoutMs` (-1: wait for ever, which takes one system call less; 0: do not wait), -2 when woken,
   * at times once more than it was, -3 when the event channel failed and this port is of no more use. Who came first is
   * served first, and nobody twice before everybody.
   */
  next(timeoutMs: number): number {
    requireTimeout(timeoutMs);
    try {
      return this.#native.next(timeoutMs);
    } catch (error) {
      throw fromNative(error);
    }
  }

  /**
   * True when the request that next() returned last had been taken by a former process, which may have carried it
   * out without answering: read again, but think before writing again.
   */
  get resumed(): boolean {
    return this.#native.resumed();
  }

  /**
   * Answers a vCPU's request and lets it run. The data counts for reads of a value only: for writes, and for reads
   * into guest memory (data_is_ptr), it is ignored.
   * @throws XenError `XEN_IOREQ_NOT_OPEN` when next() did not return this vCPU since it was last completed.
   */
  complete(vcpu: number, dataLow: number, dataHigh: number): void {
    requireU32('vcpu', vcpu);
    this.#answer[0] = dataLow;
    this.#answer[1] = dataHigh;
    try {
      this.#native.complete(vcpu);
    } catch (error) {
      throw fromNative(error);
    }
  }

  /**
   * Unmaps the page and unbinds the event channels; also done at the end of the thread. Answers nothing: an open
   * request stays, and its vCPU stands still until another port takes it over or the server is destroyed.
   */
  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
