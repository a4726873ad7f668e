import { open } from 'node:fs/promises';
import { XenptError } from '@xenpt/qmp-sdk';

export const FILE_ERROR = 'XENPT_FILE';

/**
 * Reads a file that a person named, or `stdin` for `-`.
 *
 * @throws XenptError XENPT_FILE
 */
export async function readInput(path: string, stdin: NodeJS.ReadableStream, mostBytes: number): Promise<Uint8Array> {
  if (path === '-') return collect(stdin, path, mostBytes);
  try {
    const file = await open(path);
    try {
      return await collect(file.createReadStream({ autoClose: false }), path, mostBytes);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof XenptError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const why = { ENOENT: 'there is no such file', EISDIR: 'it is a folder', EACCES: 'it may not be read' }[
      code ?? ''
    ];
    throw new XenptError(FILE_ERROR, `${path}: ${why ?? (cause instanceof Error ? cause.message : String(cause))}`, {
      next: 'Look at the name, and whether this user may read it.',
      cause,
    });
  }
}

/** Counted while it is read: what a pipe or a device has no end of must not fill the memory. */
async function collect(stream: NodeJS.ReadableStream, path: string, mostBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > mostBytes) {
      throw new XenptError(FILE_ERROR, `${path} has more than ${mostBytes} bytes`, {
        next: 'Name the file that was meant.',
      });
    }
    chunks.push(bytes);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
