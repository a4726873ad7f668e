import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import { PciError } from '../errors.js';

// POSIX.1-1988 ustar: a header of 512 bytes, the content padded to 512, two empty blocks at the end.
//
//   +0 name (100) │ +100 mode │ +108 uid │ +116 gid │ +124 size (12, octal) │ +136 mtime │ +148 checksum
//   +156 type: 0 file, 2 link, 5 folder │ +157 target of a link (100) │ +257 "ustar\0" "00" │ +345 prefix (155)

const blockBytes = 512;
/** A host of 1,000 functions has 6 MiB; nothing larger is unpacked, whatever a small archive promises. */
const archiveBytesMax = 256 << 20;

/** A file by its content, or a link by its target; `path` is relative to the root. */
export type TreeEntry =
  { readonly path: string; readonly content: Uint8Array } | { readonly path: string; readonly target: string };

/** Packs entries as a tar.gz. An entry whose names do not fit the format is left out. */
export function packTree(entries: readonly TreeEntry[]): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const entry of entries) {
    const content = 'content' in entry ? entry.content : new Uint8Array();
    const head = header(entry, content.length);
    if (head === null) continue;
    blocks.push(head, content, new Uint8Array((blockBytes - (content.length % blockBytes)) % blockBytes));
  }
  blocks.push(new Uint8Array(2 * blockBytes));
  return gzipSync(Buffer.concat(blocks));
}

function header(entry: TreeEntry, sizeBytes: number): Uint8Array | null {
  const block = Buffer.alloc(blockBytes);
  const target = 'target' in entry ? entry.target : '';
  const cut = entry.path.length <= 100 ? -1 : entry.path.lastIndexOf('/', 155);
  const [prefix, name] = cut === -1 ? ['', entry.path] : [entry.path.slice(0, cut), entry.path.slice(cut + 1)];
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(prefix) > 155 || Buffer.byteLength(target) > 100)
    return null;
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits - 1, '0')}\0`;
  block.write(name, 0);
  block.write(octal('target' in entry ? 0o777 : 0o644, 8), 100);
  for (const at of [108, 116]) block.write(octal(0, 8), at);
  block.write(octal(sizeBytes, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(' '.repeat(8), 148);
  block.write('target' in entry ? '2' : '0', 156);
  block.write(target, 157);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345);
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
    148,
  );
  return block;
}

/**
 * Reads a tar.gz that `packTree` wrote. Nothing leads out of the tree: a path or a link that would is an error.
 *
 * @throws {@link PciError} `TREE_ARCHIVE_INVALID`
 */
export function unpackTree(bytes: Uint8Array): TreeEntry[] {
  let tar: Buffer;
  try {
    tar = gunzipSync(bytes, { maxOutputLength: archiveBytesMax });
  } catch (cause) {
    throw invalid('it is not compressed with gzip, or too large', cause);
  }
  const entries: TreeEntry[] = [];
  for (let at = 0; at + blockBytes <= tar.length;) {
    const block = tar.subarray(at, at + blockBytes);
    if (block[0] === 0) return entries;
    const text = (from: number, length: number): string =>
      block.toString('utf8', from, from + length).replace(/\0[^]*$/, '');
    const path = [text(345, 155), text(0, 100)].filter((part) => part !== '').join('/');
    const sizeBytes = Number.parseInt(text(124, 12), 8);
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw invalid(`the size of ${path} is no number`);
    at += blockBytes;
    if (at + sizeBytes > tar.length) throw invalid(`it ends inside ${path}`);
    const type = text(156, 1);
    if (type === '2') entries.push({ path: inside(path), target: insideLink(path, text(157, 100)) });
    else if (type === '0' || type === '')
      entries.push({ path: inside(path), content: tar.subarray(at, at + sizeBytes) });
    at += Math.ceil(sizeBytes / blockBytes) * blockBytes;
  }
  return entries;
}

/** Writes the entries below an empty folder. */
export function writeTree(folder: string, entries: readonly TreeEntry[]): void {
  for (const entry of entries) {
    const path = join(folder, entry.path);
    mkdirSync(dirname(path), { recursive: true });
    if ('content' in entry) writeFileSync(path, entry.content, { flag: 'wx' });
    else symlinkSync(entry.target, path);
  }
}

function inside(path: string): string {
  const plain = normalize(path);
  if (plain.startsWith('..') || plain.startsWith('/') || plain === '.') throw invalid(`${path} leads out of it`);
  return plain;
}

function insideLink(path: string, target: string): string {
  if (target.startsWith('/')) throw invalid(`the link ${path} leads out of it`);
  inside(join(dirname(path), target));
  return target;
}

function invalid(problem: string, cause?: unknown): PciError {
  return new PciError('TREE_ARCHIVE_INVALID', {
    problem: `This is no archive of \`xenpt bundle\`: ${problem}.`,
    nextStep: 'Ask for it again, or unpack it with tar and give the folder.',
    cause,
  });
}
