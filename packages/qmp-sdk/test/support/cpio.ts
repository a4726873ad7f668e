/** A file of an initramfs; a path that ends with `/` is a folder. */
export interface CpioFile {
  readonly path: string;
  readonly content?: Uint8Array;
  readonly mode?: number;
}

/** An archive in the "newc" format (Linux Documentation/driver-api/early-userspace/buffer-format.rst). */
export function createCpio(files: readonly CpioFile[]): Buffer {
  return Buffer.concat([...files.map(record), record({ path: 'TRAILER!!!', mode: 0 }, 0)]);
}

// magic | ino | mode | uid | gid | nlink | mtime | size | device (2) | rdevice (2) | name size | check
function record({ path, content = new Uint8Array(), mode = 0o644 }: CpioFile, index: number): Buffer {
  const type = mode === 0 ? 0 : path.endsWith('/') ? 0o040755 : 0o100000 | mode;
  const name = Buffer.from(`${path.replace(/\/$/, '')}\0`);
  const fields = [index, type, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  return Buffer.concat([padded(Buffer.concat([Buffer.from(`070701${header}`), name])), padded(content)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
