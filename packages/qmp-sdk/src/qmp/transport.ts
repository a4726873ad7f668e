/** What a transport calls. */
export interface TransportSink {
  /** Bytes that came, one character each (latin1). */
  data(latin1: string): void;
  /** No more will come. Called once; `cause` is the system's error if there was one. */
  closed(reason: 'eof' | 'reset', cause?: unknown): void;
}

/** An open byte stream to a monitor. It is read without pause: QEMU keeps unread output in memory without bound. */
export interface QmpTransport {
  /** For error messages: `unix:/run/vm.qmp`. */
  readonly description: string;
  /** Starts reading; called once, before anything is written. */
  open(sink: TransportSink): void;
  /**
   * Sends whole frames, in order. With `fd`, `text` is one frame and the file descriptor rides on its first byte.
   *
   * @throws QmpUnsupportedError when `fd` is given and this transport can not pass one.
   */
  write(text: string, fd?: number): void;
  /** Closes after what was written has left. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
  /** The process that holds the monitor instead of us, where the system tells. */
  readonly holder?: () => Promise<number | undefined>;
  /** Whether `write` takes an `fd`. */
  readonly passesFds?: boolean;
}

/** A Node stream, `net.Socket`, `tls.TLSSocket` or anything that looks like one. */
export interface DuplexLike {
  on(event: string, listener: (...values: unknown[]) => void): unknown;
  write(chunk: string, encoding: 'utf8'): unknown;
  end(): unknown;
  destroy(): unknown;
}

/** A transport over a Node stream that is open already. */
export function transportFromDuplex(duplex: DuplexLike, description = 'stream'): QmpTransport {
  let failure: unknown;
  return {
    description,
    open(sink) {
      let ended = false;
      const end = (): void => {
        if (ended) return;
        ended = true;
        sink.closed(failure === undefined ? 'eof' : 'reset', failure);
      };
      duplex.on('error', (error) => (failure ??= error));
      duplex.on('data', (chunk) => sink.data(latin1Of(chunk as Uint8Array | string)));
      duplex.on('end', end);
      duplex.on('close', end);
    },
    write: (text) => void duplex.write(text, 'utf8'),
    end: () => void duplex.end(),
    destroy: () => void duplex.destroy(),
  };
}

/** A transport over web streams: Deno's `Conn`, a WebTransport, a bridge in a browser. */
export function transportFromWebStreams(
  pair: { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream<Uint8Array> },
  description = 'stream',
): QmpTransport {
  const reader = pair.readable.getReader();
  const writer = pair.writable.getWriter();
  const encoder = new TextEncoder();
  // A failed write shows as the end of the readable side too, or as a command without an answer.
  const ignore = (): void => undefined;
  return {
    description,
    open: (sink) => void pump(reader, sink),
    write: (text) => void writer.write(encoder.encode(text)).catch(ignore),
    end() {
      writer.close().catch(ignore);
      reader.cancel().catch(ignore);
    },
    destroy() {
      writer.abort().catch(ignore);
      reader.cancel().catch(ignore);
    },
  };
}

async function pump(reader: ReadableStreamDefaultReader<Uint8Array>, sink: TransportSink): Promise<void> {
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) sink.data(latin1Of(part.value));
  } catch (cause) {
    sink.closed('reset', cause);
    return;
  }
  sink.closed('eof');
}

interface BufferLike {
  latin1Slice(): string;
}

const chunkCharacters = 0x2000;

/** One character for each byte. `TextDecoder('latin1')` is windows-1252, which is not that. */
export function latin1Of(chunk: Uint8Array | string): string {
  if (typeof chunk === 'string') return chunk;
  if ('latin1Slice' in chunk) return (chunk as BufferLike).latin1Slice();
  let text = '';
  for (let start = 0; start < chunk.length; start += chunkCharacters) {
    text += String.fromCharCode(...chunk.subarray(start, start + chunkCharacters));
  }
  return text;
}
