import { closeSync, openSync, readSync } from 'node:fs';
import { formatSbdf, type Sbdf } from '@xenpt/pci';
import { XenErrorCode, XenOperationError } from './errors.js';
import type { Clock, Sysfs } from './host.js';
import { configDifferences, toHex } from './journal-config.js';
import { sysfsPath } from './paths.js';

/** PCI Express Base 6.0 §6.6.1: a function has answered 1 s after its reset; the kernel itself waits for most kinds. */
const ANSWER_TIMEOUT_MS = 1_000;
const POLL_INTERVAL_MS = 50;
/** Revision and class code (PCI Local Bus 3.0 §6.2.1). Virtual functions read all ones as their ids, but not here. */
const CLASS_OFFSET = 8;
const HEADER_BYTES = 64;

/**
 * Resets a function as the kernel does it, and makes sure that it answers again as the card it was, with its
 * addresses.
 *
 * @throws XenOperationError XENPT_DEVICE_BROKEN; what the kernel says of the reset
 */
export async function resetAndVerify(
  { sysfs, clock }: { readonly sysfs: Sysfs; readonly clock: Clock },
  sbdf: Sbdf,
): Promise<void> {
  const before = toHex(readHeader(sysfs, sbdf));
  sysfs.reset(sbdf);
  const deadline = clock.now() + ANSWER_TIMEOUT_MS;
  for (;;) {
    const wrong = whatIsWrong(before, readHeader(sysfs, sbdf));
    if (wrong === '') return;
    if (clock.now() >= deadline) throw broken(formatSbdf(sbdf), wrong);
    await clock.sleep(POLL_INTERVAL_MS);
  }
}

/** Nothing else of the function is looked at: files that are missing must not keep it with its guest. */
function readHeader({ root }: Sysfs, sbdf: Sbdf): Uint8Array {
  const file = openSync(`${root}${sysfsPath.device(sbdf)}/config`, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(file);
  }
}

function whatIsWrong(before: string, now: Uint8Array): string {
  if (now.subarray(CLASS_OFFSET, CLASS_OFFSET + 4).every((byte) => byte === 0xff)) return 'it reads all ones';
  return configDifferences(before, now).join(', ');
}

function broken(name: string, wrong: string): XenOperationError {
  return new XenOperationError(XenErrorCode.deviceBroken, `${name} does not answer as before its reset: ${wrong}`, {
    next: `Look at it with: lspci -xs ${name}. If it answers ffffffff, only a restart of the host helps.`,
  });
}
