import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';

import { type Sbdf, formatSbdf } from '../sbdf.js';
import { isAbsent, malformed, sysfsFailure } from './errors.js';

export interface SysfsOptions {
  /** Where `sys` and `usr` are found; default `/`. */
  readonly sysroot?: string;
  /** false: names of vendors and devices are not looked up, which would read 1.5 MB of pci.ids. */
  readonly names?: boolean;
}

/** The folder with one link for each function. */
export function functionsDirectory({ sysroot = '/' }: SysfsOptions): string {
  return join(sysroot, 'sys/bus/pci/devices');
}

export function functionDirectory(sbdf: Sbdf, options: SysfsOptions): string {
  return join(functionsDirectory(options), formatSbdf(sbdf));
}

/** An attribute has a page at most (Linux Documentation/filesystems/sysfs.rst), and comes in one piece. */
const attributeBytesMax = 4096;
const buffer = Buffer.allocUnsafe(2 * attributeBytesMax);

/** Whole text of an attribute. */
export function readText(path: string): string {
  try {
    return readAll(path, attributeBytesMax);
  } catch (cause) {
    throw sysfsFailure(path, 'read', cause);
  }
}

/** Whole text of an attribute, or null when this kernel or device does not have it. */
export function readOptionalAttribute(path: string): string | null {
  return readUnlessAbsent(path, attributeBytesMax);
}

/**
 * What `readFileSync` does, without asking for a size that the kernel does not know, ten thousand times. A piece that
 * is shorter than `pieceBytesMin` is the last.
 */
function readAll(path: string, pieceBytesMin: number): string {
  const descriptor = openSync(path, 'r');
  try {
    let text = '';
    for (;;) {
      const count = readSync(descriptor, buffer, 0, buffer.length, null);
      text += buffer.toString('latin1', 0, count);
      if (count < pieceBytesMin) return text;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Whole text of a file, also one of /proc that comes in pieces; null when it is not there. */
export function readOptionalText(path: string): string | null {
  return readUnlessAbsent(path, 1);
}

function readUnlessAbsent(path: string, pieceBytesMin: number): string | null {
  try {
    return readAll(path, pieceBytesMin);
  } catch (cause) {
    if (isAbsent(cause)) return null;
    throw sysfsFailure(path, 'read', cause);
  }
}

/** Whole content of a binary attribute. */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw sysfsFailure(path, 'read', cause);
  }
}

/** `0x` and 1 to `digits` hexadecimal digits, as the kernel writes ids and classes. */
export function readHex(path: string, digits: number): number {
  const text = readText(path);
  if (!new RegExp(`^0x[0-9a-f]{1,${digits}}\n$`).test(text)) throw malformed(path, `${quote(text)} is no 0x number`);
  return Number.parseInt(text, 16);
}

/** A decimal number, possibly negative. */
export function parseDecimal(path: string, text: string): number {
  if (!/^-?[0-9]{1,10}\n$/.test(text)) throw malformed(path, `${quote(text)} is no decimal number`);
  return Number.parseInt(text, 10);
}

/** Last part of what a link points to, or null when there is no such link. */
export function readLinkName(path: string): string | null {
  try {
    return basename(readlinkSync(path));
  } catch (cause) {
    if (isAbsent(cause)) return null;
    throw sysfsFailure(path, 'read', cause);
  }
}

/** What a link points to; null when there is nothing, or something that is no link. */
export function readLinkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** Names in a folder; none when it is not there. */
export function readNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (cause) {
    if (isAbsent(cause)) return [];
    throw sysfsFailure(path, 'read', cause);
  }
}

export function exists(path: string): boolean {
  return existsSync(path);
}

export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
