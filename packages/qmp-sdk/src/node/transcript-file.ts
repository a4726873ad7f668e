import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { jsonlTranscript, type Transcript, type TranscriptOptions } from '../qmp/transcript.js';

export interface FileTranscript extends Transcript, AsyncDisposable {
  /** Writes out what is buffered. @throws the system's error, if writing failed at any time. */
  close(): Promise<void>;
}

/** A transcript in a file that only its owner can read: what is redacted are known secrets, not all there may be. */
export function transcriptToFile(path: string, options: TranscriptOptions = {}): FileTranscript {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  let failure: unknown;
  stream.on('error', (error) => (failure ??= error));
  const close = async (): Promise<void> => {
    if (failure === undefined && !stream.closed) {
      stream.end();
      await finished(stream);
    }
    if (failure !== undefined) throw failure as Error;
  };
  return { ...jsonlTranscript((line) => void stream.write(line), options), close, [Symbol.asyncDispose]: close };
}
