import type { FileHandle } from 'node:fs/promises';

/** Bytes in order. */
export interface ByteReader {
  /** Fills `into` as far as there is something; returns how many bytes it wrote, 0 at the end. */
  read(into: Uint8Array, signal?: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

/** How much is read before looking whether the signal was set off. */
const PIECE_BYTES = 2 ** 20;

/** Reads straight into the caller's memory. Closes the handle. */
export function fileReader(handle: FileHandle): ByteReader {
  return {
    read: async (into, signal) => {
      let done = 0;
      while (done < into.length) {
        signal?.throwIfAborted();
        const { bytesRead } = await handle.read(into, done, Math.min(PIECE_BYTES, into.length - done), null);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    },
    close: () => handle.close(),
  };
}

/** Keeps no more than the one piece that the stream handed over last. */
export function streamReader(stream: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array>): ByteReader {
  const pieces = Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]();
  let piece: Uint8Array = new Uint8Array(0);
  return {
    read: async (into, signal) => {
      let done = 0;
      while (done < into.length) {
        signal?.throwIfAborted();
        if (piece.length === 0) {
          const next = await pieces.next();
          if (next.done) break;
          piece = typeof next.value === 'string' ? Buffer.from(next.value, 'latin1') : next.value;
        }
        const part = piece.subarray(0, into.length - done);
        into.set(part, done);
        done += part.length;
        piece = piece.subarray(part.length);
      }
      return done;
    },
    close: async () => {
      await pieces.return?.();
    },
  };
}
