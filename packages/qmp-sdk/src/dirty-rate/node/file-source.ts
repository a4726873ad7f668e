import { createReadStream, type Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { DirtyRateError, DirtyRateErrorCode } from '../errors.js';
import { requireWithin } from '../quantities.js';
import type { BitmapSource } from '../source.js';
import { type ByteReader, fileReader, streamReader } from './byte-reader.js';

export interface FileSourceOptions {
  /**
   * Pages of one bitmap. A file or stream may then hold several, one after the other, each of whole 64-bit words as
   * KVM (KVM_GET_DIRTY_LOG) and VFIO (VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT) write them. Left out: each file is one
   * bitmap, 8 pages to the byte.
   */
  readonly pageCount?: number;
  /** Guest memory for one bit, bytes: VFIO's page_size. Default 4096. */
  readonly pageSizeBytes?: number;
  /** What `-` stands for. */
  readonly stdin?: AsyncIterable<Uint8Array | string>;
}

/** Just under 16 TiB of 4 KiB pages: what a `DirtyBitmap` holds. */
const MAXIMUM_PAGES = 2 ** 32 - 1;
/** A stream of unknown length is kept until its end is known: 2 TiB of guest. */
const MAXIMUM_KEPT_BYTES = 2 ** 26;

/**
 * Raw dirty bitmaps, least significant bit first, as a recording: each is one interval. They are read in pieces
 * straight into the map that is scanned.
 *
 * @param paths files, pipes, or `-` for standard input
 * @throws DirtyRateError DIRTY_RATE_FILE, DIRTY_RATE_RANGE
 */
export async function openFileSource(
  paths: readonly string[],
  options: FileSourceOptions = {},
): Promise<BitmapSource> {
  const { pageCount: given, pageSizeBytes = 4096 } = options;
  if (given !== undefined) requireWithin(given, 'pages', 1, MAXIMUM_PAGES);
  const inputs: Input[] = [];
  let pageCount: number;
  try {
    for (const path of paths) inputs.push(await openInput(path, options));
    pageCount = given ?? 8 * Math.max(...inputs.map(({ sizeBytes }) => sizeBytes ?? 0));
    // An empty file is refused, by its name, when it is read.
    pageCount = requireWithin(Math.max(1, pageCount), 'pages', 1, MAXIMUM_PAGES);
  } catch (error) {
    for (const { reader } of inputs) await reader.close();
    throw error;
  }
  const description = inputs.length === 1 ? (inputs[0]?.path ?? '') : `${inputs.length} files`;
  const recording = new Recording(inputs, pageCount, given !== undefined);
  return {
    kind: 'bitmap',
    pace: 'recorded',
    description,
    pageSizeBytes,
    memoryPages: null,
    pageCount,
    collect: async (into, signal) => ((await recording.next(into, signal)) ? { pageCount } : null),
    close: () => recording.close(),
  };
}

interface Input {
  readonly path: string;
  readonly reader: ByteReader;
  /** Null: known at the end only. */
  readonly sizeBytes: number | null;
}

class Recording {
  readonly #inputs: Input[];
  readonly #pageCount: number;
  /** Whether an input is cut into bitmaps of `pageCount`, or is one. */
  readonly #cut: boolean;
  #current: Input | undefined;
  #bitmapsOfCurrent = 0;

  constructor(inputs: readonly Input[], pageCount: number, cut: boolean) {
    this.#inputs = [...inputs];
    this.#pageCount = pageCount;
    this.#cut = cut;
  }

  async next(into: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    for (;;) {
      if (!this.#current) {
        this.#current = this.#inputs.shift();
        this.#bitmapsOfCurrent = 0;
        if (!this.#current) return false;
      }
      const { path, reader } = this.#current;
      const wanted = this.#cut ? 8 * Math.ceil(this.#pageCount / 64) : Math.ceil(this.#pageCount / 8);
      const got = await reader.read(into.subarray(0, wanted), signal);
      if (got === 0 && this.#bitmapsOfCurrent > 0) {
        await this.#closeCurrent();
        continue;
      }
      this.#requireWhole(path, got);
      into.fill(0, got);
      maskTail(into, this.#pageCount);
      this.#bitmapsOfCurrent += 1;
      if (!this.#cut) await this.#closeCurrent();
      return true;
    }
  }

  async close(): Promise<void> {
    await this.#closeCurrent();
    for (const { reader } of this.#inputs.splice(0)) await reader.close();
  }

  async #closeCurrent(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.reader.close();
  }

  /** Xen's maps end with the last byte that has a page, KVM's and VFIO's with the last word. */
  #requireWhole(path: string, got: number): void {
    const least = this.#cut ? Math.ceil(this.#pageCount / 8) : 1;
    if (got >= least) return;
    const message =
      got === 0
        ? `${path} is empty.`
        : `${path} ends after ${got} bytes of a bitmap of ${this.#pageCount} pages, which takes ${least}.`;
    throw new DirtyRateError(DirtyRateErrorCode.file, message, {
      next: 'Give bitmaps of whole bytes, and the number of pages that they were made for.',
    });
  }
}

/** Bits behind the last page mean nothing. */
function maskTail(into: Uint8Array, pageCount: number): void {
  const last = Math.ceil(pageCount / 8);
  if (pageCount % 8 !== 0) into[last - 1] = (into[last - 1] ?? 0) & (2 ** (pageCount % 8) - 1);
  into.fill(0, last);
}

async function openInput(path: string, { stdin, pageCount }: FileSourceOptions): Promise<Input> {
  if (path === '-') {
    if (!stdin) throw fileError(path, 'there is no standard input.');
    return openStream('standard input', stdin, pageCount);
  }
  const facts = await stat(path).catch((cause: unknown): Stats => {
    throw fileError(path, 'it cannot be read.', cause);
  });
  if (facts.isDirectory()) throw fileError(path, 'it is a directory.');
  if (!facts.isFile()) return openStream(path, createReadStream(path), pageCount);
  const handle = await open(path).catch((cause: unknown) => {
    throw fileError(path, 'it cannot be opened.', cause);
  });
  return { path, reader: fileReader(handle), sizeBytes: facts.size };
}

/** Without a number of pages the whole stream is one bitmap, and how large that is shows at its end. */
async function openStream(
  path: string,
  stream: AsyncIterable<Uint8Array | string>,
  pageCount: number | undefined,
): Promise<Input> {
  const reader = streamReader(stream);
  if (pageCount !== undefined) return { path, reader, sizeBytes: null };
  const kept: Uint8Array[] = [];
  let sizeBytes = 0;
  for (;;) {
    const piece = new Uint8Array(2 ** 20);
    const got = await reader.read(piece);
    if (got === 0) break;
    sizeBytes += got;
    if (sizeBytes > MAXIMUM_KEPT_BYTES) {
      await reader.close();
      throw fileError(
        path,
        `it is longer than ${MAXIMUM_KEPT_BYTES} bytes.`,
        undefined,
        'Say how many pages it has.',
      );
    }
    kept.push(piece.subarray(0, got));
  }
  return { path, reader: streamReader(kept), sizeBytes };
}

function fileError(path: string, why: string, cause?: unknown, next = 'Give the path of a raw dirty bitmap.') {
  return new DirtyRateError(DirtyRateErrorCode.file, `${path}: ${why}`, { next, cause });
}
