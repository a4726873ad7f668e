import { hrtime } from 'node:process';

/**
 * Words of 8 bytes, of which IoreqPort writes all and any thread may read (native/request-meter.h has the same):
 *
 *     | 0 open since, ns | 1 vCPU | 2 nanoseconds of all answers | 3 of the longest | 4..7 open request | 8.. buckets |
 *
 * Numbers are doubles; the request is its 32 bytes. Nanoseconds are those of CLOCK_MONOTONIC, as of `process.hrtime`.
 */
const openSinceWord = 0;
const vcpuWord = 1;
const sumWord = 2;
const longestWord = 3;
const requestWord = 4;
const requestBytes = 32;
const firstBucketWord = 8;
const wordBytes = 8;

/** Bucket n holds what took up to 2^n µs, so the last one up to 8.4 s. What took longer is behind them. */
const bucketCount = 24;

/** How long a request was in our hands, from when it was taken until its vCPU was let go. */
export interface LatencyHistogram {
  readonly count: number;
  readonly sumNs: number;
  readonly longestNs: number;
  /** Not cumulative; what took longer than the last one says is in `count` alone. */
  readonly buckets: readonly { readonly upToNs: number; readonly count: number }[];
}

export interface OpenRequest {
  readonly vcpu: number;
  readonly sinceNs: number;
  readonly ageMs: number;
  /** A copy; see {@link IoreqPort.request}. */
  readonly request: DataView;
}

/**
 * What IoreqPort measures, in memory that threads share. A guest waits for no look at the clock, but for the first
 * after a pause.
 */
export class IoreqMeter {
  static readonly sizeBytes = (firstBucketWord + bucketCount + 1) * wordBytes;
  readonly words: Float64Array;

  /** @param byteOffset a multiple of 8 */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(IoreqMeter.sizeBytes), byteOffset = 0) {
    this.words = new Float64Array(buffer, byteOffset, IoreqMeter.sizeBytes / wordBytes);
  }

  /** The request that is being answered; null while there is none, or when one was answered just now. */
  open(): OpenRequest | null {
    const sinceNs = this.#word(openSinceWord);
    if (sinceNs === 0) return null;
    const vcpu = this.#word(vcpuWord);
    const { buffer, byteOffset } = this.words;
    const bytes = new Uint8Array(buffer, byteOffset + requestWord * wordBytes, requestBytes);
    const request = new DataView(Uint8Array.from(bytes).buffer);
    if (this.#word(openSinceWord) !== sinceNs) return null;
    return { vcpu, sinceNs, ageMs: Math.max(0, (Number(hrtime.bigint()) - sinceNs) / 1e6), request };
  }

  latency(): LatencyHistogram {
    const buckets = Array.from({ length: bucketCount }, (_, index) => {
      return { upToNs: 1000 * 2 ** index, count: this.#word(firstBucketWord + index) };
    });
    const beyond = this.#word(firstBucketWord + bucketCount);
    const count = buckets.reduce((sum, bucket) => sum + bucket.count, beyond);
    return { count, sumNs: this.#word(sumWord), longestNs: this.#word(longestWord), buckets };
  }

  #word(index: number): number {
    return this.words[index] ?? 0;
  }
}
