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

/** What a function that is taken back does after the try to reset it. */
export type AfterReset = 'answers' | 'gone';

interface ResetHost {
  readonly sysfs: Sysfs;
  readonly clock: Clock;
}

/**
 * As {@link resetAndVerify}, of a function that may have been pulled out while it was used. One that hangs may come
 * back by its reset; one that stays silent is not there, and a reset that fails is no reason to keep it reserved.
 *
 * @throws XenOperationError XENPT_DEVICE_BROKEN; what the kernel says of the reset of one that answers
 */
export async function resetOrFindGone(host: ResetHost, sbdf: Sbdf): Promise<AfterReset> {
  const { sysfs, clock } = host;
  const answers = () => !isSilent(readHeader(sysfs, sbdf));
  if (answers()) {
    await resetAndVerify(host, sbdf);
    return 'answers';
  }
  try {
    sysfs.reset(sbdf);
  } catch {
    return 'gone';
  }
  const deadline = clock.now() + ANSWER_TIMEOUT_MS;
  while (!answers() && clock.now() < deadline) await clock.sleep(POLL_INTERVAL_MS);
  return answers() ? 'answers' : 'gone';
}

/** What to tell of one that is gone. */
export function describeGone(sbdf: Sbdf): string {
  const device = sysfsPath.device(sbdf);
  return (
    `${formatSbdf(sbdf)} answers all ones: it was pulled out, or lost its power, and could not be reset. ` +
    `When it is back: echo 1 > ${device}/remove && echo 1 > /sys/bus/pci/rescan`
  );
}

/**
 * Resets a function as the kernel does it, and makes sure that it answers again as the card it was, with its
 * addresses.
 *
 * @throws XenOperationError XENPT_DEVICE_BROKEN; what the kernel says of the reset
 */
export async function resetAndVerify({ sysfs, clock }: ResetHost, sbdf: Sbdf): Promise<void> {
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
  if (isSilent(now)) return 'it reads all ones';
  return configDifferences(before, now).join(', ');
}

function isSilent(header: Uint8Array): boolean {
  return header.subarray(CLASS_OFFSET, CLASS_OFFSET + 4).every((byte) => byte === 0xff);
}

function broken(name: string, wrong: string): XenOperationError {
  return new XenOperationError(XenErrorCode.deviceBroken, `${name} does not answer as before its reset: ${wrong}`, {
    next: `Look at it with: lspci -xs ${name}. If it answers ffffffff, only a restart of the host helps.`,
  });
}
