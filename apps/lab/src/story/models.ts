import type { Guest } from '../guest/guest.js';
import { driveCard, type CardReport } from './card.js';
import type { Setting } from './setting.js';
import { countMappings } from './xen-ledger.js';

/** One model's run of one guest with the card. */
export interface ModelReport {
  readonly model: 'xenpt' | 'QEMU';
  /** From unpause to the guest's shell. */
  readonly secondsToShell: number;
  /** How often Xen mapped the card's first BAR into the guest, and took it out, until its shell was up. */
  readonly mapRounds: { readonly added: number; readonly removed: number };
  readonly card: CardReport;
}

/** A guest as both models get it: paused, with nothing but a network driver. */
export const guestName = 'guest';

/** The guest for our model: the toolstack attaches nothing, but sets up the IOMMU. */
export function createGuestForXenpt({ lab }: Setting): Promise<Guest> {
  return lab.createGuest({ name: guestName, paused: true, passthrough: 'sync_pt' });
}

/** The guest with QEMU's own model, as `xl` does it. */
export function createGuestForQemu({ lab, sbdf }: Setting): Promise<Guest> {
  return lab.createGuest({ name: guestName, paused: true, pci: [sbdf] });
}

/** Starts a paused guest that has the card, and lets its driver work. */
export async function runModel(setting: Setting, guest: Guest, model: ModelReport['model']): Promise<ModelReport> {
  const { lab, sbdf, payload } = setting;
  const bar = (await lab.run(`head -n 1 /sys/bus/pci/devices/${sbdf}/resource`)).split(' ')[0] ?? '0x0';
  const started = performance.now();
  await guest.unpause();
  await guest.waitUntilReady();
  const secondsToShell = (performance.now() - started) / 1000;
  const mapRounds = countMappings(lab.serialText(), guest.domid, BigInt(bar) >> 12n);
  const card = await driveCard(guest, payload.name);
  return { model, secondsToShell, mapRounds, card };
}
