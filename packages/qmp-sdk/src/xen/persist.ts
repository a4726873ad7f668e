import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { formatSbdf, resolveIdentity, type Sbdf } from '@xenpt/pci';
import { type Assignment, readAssignments } from './assignments.js';
import { syncDirectory, writeAtomically } from './atomic-file.js';
import { errnoName, XenErrorCode, XenOperationError } from './errors.js';
import type { XenHost } from './host.js';
import { listInventory } from './inventory.js';
import { acceptedOverrides } from './verdict-check.js';
import { type Override, readJournal } from './journal.js';
import { storePath, sysfsPath } from './paths.js';
import { type PersistFile, persistFiles } from './persist-files.js';
import { readDriverPath } from './pciback.js';
import { requireRoot } from './require-root.js';
import { parseBdf } from './spec.js';

/** What would be written to keep devices assignable over restarts, or to keep them no longer. */
export interface PersistPlan {
  /** Only those that change. */
  readonly files: readonly PersistFile[];
  /** What is left to do by hand: an initramfs has to be made again. */
  readonly notes: readonly string[];
}

export interface PersistOptions {
  /** How this program is started at boot, word by word, without the verb: `/usr/bin/node`, `/usr/bin/xenpt`. */
  readonly command: readonly string[];
  /** Beside those that the journal has. */
  readonly overrides?: readonly Override[];
}

/**
 * Plans to keep these devices assignable over restarts, by what they are and where they are plugged in.
 *
 * @param bdfs not taken yet, or held already
 * @throws XenOperationError XENPT_NO_SUCH_DEVICE; XENPT_IDENTITY_CHANGED when another card is kept for the place
 */
export function planPersist(host: XenHost, bdfs: readonly string[], options: PersistOptions): PersistPlan {
  const { functions } = listInventory(host);
  const journal = readJournal(host);
  const known = readAssignments(host.sysfs);
  const added = bdfs.map((bdf): Assignment => {
    const sbdf = parseBdf(bdf);
    const address = formatSbdf(sbdf);
    const fn = functions.find((one) => one.address === address);
    if (fn === undefined) throw absent(address);
    const accepted = [...acceptedOverrides(journal, host, address), ...(options.overrides ?? [])];
    return { address, identity: fn.identity, driver: driverOf(host, sbdf), overrides: [...new Set(accepted)] };
  });
  for (const { identity, address } of added) {
    const before = known.find((one) => one.identity.path === identity.path);
    if (before !== undefined) requireSame(before, { address, identity });
  }
  const paths = new Set(added.map(({ identity }) => identity.path));
  return plan(host, [...known.filter(({ identity }) => !paths.has(identity.path)), ...added], options);
}

/** Plans to keep these no longer. A card that is gone goes by the address that it had. */
export function planForget(host: XenHost, bdfs: readonly string[], options: PersistOptions): PersistPlan {
  const known = readAssignments(host.sysfs);
  if (known.length === 0) return { files: [], notes: [] };
  const { functions } = listInventory(host);
  const names = bdfs.map((bdf) => formatSbdf(parseBdf(bdf)));
  const paths = new Set(
    functions.filter(({ address }) => names.includes(address)).map(({ identity }) => identity.path),
  );
  const isThere = (path: string) => functions.some(({ identity }) => identity.path === path);
  return plan(
    host,
    known.filter(
      ({ address, identity: { path } }) => !paths.has(path) && (isThere(path) || !names.includes(address)),
    ),
    options,
  );
}

/** Writes what was planned, each file as a whole. */
export function applyPersist({ isRoot, sysfs: { root } }: XenHost, { files }: Pick<PersistPlan, 'files'>): void {
  requireRoot({ isRoot }, 'write what is read at boot');
  for (const { path, content, mode, target } of files) {
    const full = root + path;
    if (content === null || target !== undefined) rmSync(full, { force: true });
    if (content === null) continue;
    mkdirSync(dirname(full), { recursive: true });
    if (target === undefined) writeAtomically(full, content, mode);
    else symlinkSync(target, full);
    syncDirectory(dirname(full));
  }
}

function plan(
  { sysfs: { root } }: XenHost,
  assignments: readonly Assignment[],
  { command }: PersistOptions,
): PersistPlan {
  const initramfsTools = existsSync(`${root}/etc/initramfs-tools`);
  const dracut = existsSync(`${root}/etc/dracut.conf.d`);
  const systemd = existsSync(`${root}/etc/systemd/system`);
  const files = persistFiles(assignments, { systemd, initramfsTools, dracut, command }).filter((file) =>
    differs(root, file),
  );
  const notes = [
    ...(initramfsTools ? ['So that the initramfs has it too, run: update-initramfs -u'] : []),
    ...(dracut ? ['So that the initramfs has it too, run: dracut -f'] : []),
    ...(systemd ? [] : ['This host has no systemd: have `xenpt assignable restore` run at boot, after xenstored.']),
  ];
  return { files, notes: files.length === 0 ? [] : notes };
}

function differs(root: string, { path, content, target }: PersistFile): boolean {
  try {
    const found = target === undefined ? readFileSync(root + path, 'utf8') : readlinkSync(root + path);
    return found !== (content === null ? null : (target ?? content));
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return content !== null;
    return true;
  }
}

function requireSame(before: Assignment, now: Pick<Assignment, 'address' | 'identity'>): void {
  const found = resolveIdentity(before.identity, [now]);
  if (found.kind !== 'changed') return;
  throw identityChanged(now.address, found.differences);
}

/** What was there, and what is there. */
export function identityChanged(
  address: string,
  differences: readonly { readonly field: string; readonly was: string; readonly is: string }[],
): XenOperationError {
  const diff = differences.map(({ field, was, is }) => `${field} was ${was}, is ${is}`).join('; ');
  return new XenOperationError(
    XenErrorCode.identityChanged,
    `${address} holds another card than the one that is kept assignable: ${diff}`,
    { next: `Put the card back, or forget it with: xenpt assignable remove ${address} --persist` },
  );
}

/** Where the card goes back to: the driver it has, or the one it was taken from. */
function driverOf({ sysfs, store }: XenHost, sbdf: Sbdf): string | null {
  const now = readDriverPath(sysfs, sbdf);
  const recorded = store.read(storePath.driverPath(sbdf));
  const driver = now === undefined || now === sysfsPath.pciback ? recorded : now;
  return driver !== null && /^\/sys\/bus\/pci\/drivers\/[\w-][\w.-]*$/.test(driver) ? driver : null;
}

function absent(address: string): XenOperationError {
  return new XenOperationError(XenErrorCode.noSuchDevice, `there is no PCI device ${address} on this host`, {
    next: 'See `xenpt list` for the devices there are.',
  });
}
