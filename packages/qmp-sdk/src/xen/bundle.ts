import type { Owner } from '@xenpt/pci';
import { captureTree, packTree, readFunctionRecords } from '@xenpt/pci/sysfs';
import { sysfsOptions } from './pciback.js';
import { readXenView, RECORDED_VIEW_PATH, recordView, type XenViewHost } from './xen-view.js';

export interface Bundle {
  /** A tar.gz; `--sysroot` takes it as it is. */
  readonly archive: Uint8Array;
  readonly functionCount: number;
  readonly fileCount: number;
  readonly notes: readonly string[];
}

/**
 * Everything that the inventory knows of this host, to be looked at elsewhere: the files it reads, and what Xen said.
 * Serial numbers, addresses, names of guests and settings that have nothing to do with devices are taken out.
 */
export function createBundle(host: XenViewHost): Bundle {
  const options = sysfsOptions(host.sysfs);
  const guestNames = createPseudonyms();
  const { functions, notes } = readFunctionRecords(options);
  const view = readXenView(host, functions);
  const owners = new Map([...view.owners].map(([address, owner]) => [address, rename(owner, guestNames)]));
  const facts = view.facts === null ? null : { ...view.facts, commandLine: redactXen(view.facts.commandLine) };
  const recorded = recordView({ ...view, facts, owners });
  const entries = [
    ...captureTree(options, guestNames),
    { path: RECORDED_VIEW_PATH.slice(1), content: Buffer.from(recorded) },
  ];
  return {
    archive: packTree(entries),
    functionCount: functions.length,
    fileCount: entries.length,
    notes: [...view.notes, ...notes],
  };
}

/** Xen's command line has no secrets but where its console may go over the network. */
function redactXen(commandLine: string | null): string | null {
  return commandLine?.replace(/\b(dbgp|com[12]|gdb)=\S+/g, '$1=redacted') ?? null;
}

function rename(owner: Owner, guestNames: (name: string) => string): Owner {
  return owner.kind === 'domain' ? { ...owner, domainName: guestNames(owner.domainName) } : owner;
}

function createPseudonyms(): (name: string) => string {
  const names = new Map<string, string>();
  return (name) => {
    const known = names.get(name) ?? `guest-${names.size + 1}`;
    names.set(name, known);
    return known;
  };
}
