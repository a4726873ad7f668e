import { expect } from 'vitest';
import type { Lab } from '../../src/lab.js';
import { releasedWithin } from '../../src/story/release.js';
import { readXenLedgers, type XenLedger } from '../../src/story/xen-ledger.js';

/** What Xen says of functions while no guest has them; they are assignable. */
export interface Baseline {
  readonly sbdfs: readonly string[];
  readonly ledgers: readonly XenLedger[];
}

export async function readBaseline(lab: Lab, sbdfs: readonly string[]): Promise<Baseline> {
  return { sbdfs, ledgers: await readXenLedgers(lab, sbdfs) };
}

/** A domain is gone, and everything of the functions is as it was: rights, interrupts, owner, libxl's nodes, ours. */
export async function expectBaseline(lab: Lab, domid: number, { sbdfs, ledgers }: Baseline): Promise<void> {
  await releasedWithin(lab, domid, 60_000);
  const after = await readXenLedgers(lab, sbdfs);
  for (const [index, sbdf] of sbdfs.entries()) {
    expect(after[index]?.messageInterrupts, sbdf).toEqual(ledgers[index]?.messageInterrupts);
    expect(after[index]?.rights, sbdf).toEqual(ledgers[index]?.rights);
    expect(after[index]?.owner, sbdf).toBe(ledgers[index]?.owner);
  }
  const nodes = await lab.exec('xenstore-ls /libxl/pci; xenstore-ls /local/domain/0/backend/pci');
  expect(nodes.stdout).not.toMatch(new RegExp(`domid = "${domid}"|frontend-id = "${domid}"`));
}
