import type { Lab } from '../lab.js';

/** What Xen itself says of a device and of a domain's rights: its own ledger, from the `Q` and `q` debug keys. */
export interface XenLedger {
  /** `d0`, `d3`, `DomIO` …, or null when Xen does not know the function. */
  readonly owner: string | null;
  /** Machine interrupts allocated to the function's MSI or MSI-X. */
  readonly messageInterrupts: readonly number[];
  /** Rangesets by domain id: interrupts, memory frames and ports each domain may use. */
  readonly rights: ReadonlyMap<number, DomainRights>;
}

export interface DomainRights {
  readonly interrupts: string;
  readonly memory: string;
  readonly ports: string;
}

/** @throws {LabError} when dom0 does not answer in time */
export async function readXenLedger(lab: Lab, sbdf: string): Promise<XenLedger> {
  return parseXenLedger(await debugKeys(lab), sbdf);
}

/** The same of several functions, at one moment. */
export async function readXenLedgers(lab: Lab, sbdfs: readonly string[]): Promise<XenLedger[]> {
  const text = await debugKeys(lab);
  return sbdfs.map((sbdf) => parseXenLedger(text, sbdf));
}

async function debugKeys(lab: Lab): Promise<string> {
  const command = 'xl dmesg -c >/dev/null; xl debug-keys Q; xl debug-keys q; sleep 1; xl dmesg -c';
  return (await lab.exec(command, { timeoutMs: 60_000 })).stdout;
}

/** Reads the text of both debug keys. Exported for its test. */
export function parseXenLedger(text: string, sbdf: string): XenLedger {
  const device = new RegExp(`${sbdf.replaceAll('.', '\\.')} - ([^\\s:]+)[^\\n]*?(?:MSIs <([^>]*)>)?\\s*$`, 'm').exec(
    text,
  );
  const messageInterrupts = (device?.[2] ?? '').trim().split(/\s+/).filter(Boolean).map(Number);
  const rights = new Map<number, DomainRights>();
  for (const part of text.split(/Rangesets belonging to domain /).slice(1)) {
    const range = (name: string) => new RegExp(`${name}\\s+\\{([^}]*)\\}`).exec(part)?.[1]?.trim() ?? '';
    rights.set(Number.parseInt(part, 10), {
      interrupts: range('Interrupts'),
      memory: range('I/O Memory'),
      ports: range('I/O Ports'),
    });
  }
  return { owner: device?.[1] ?? null, messageInterrupts, rights };
}

/** How often Xen logged a mapping of machine frame `mfn` into, and out of, domain `domid`. */
export function countMappings(xenLog: string, domid: number, mfn: bigint): { added: number; removed: number } {
  const frame = `d(?:om)?${domid} gfn=\\S+ mfn=${mfn.toString(16)} `;
  const count = (verb: string) => xenLog.match(new RegExp(`memory_map:${verb}: ${frame}`, 'g'))?.length ?? 0;
  return { added: count('add'), removed: count('remove') };
}
