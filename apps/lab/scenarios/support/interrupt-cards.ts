import { expect } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun, type Interrupt, parseInterrupts } from '../../src/story/card.js';

/** How a guest takes messages: as pirqs, through event channels, or as vectors of its APICs. */
export type MessageWay = 'pirqs' | 'vectors';

/** By what a card interrupts. */
export type InterruptKind = 'MSI-X' | 'MSI' | 'INTx';

/** How the guest's Linux names what delivers an interrupt. */
const controllers: Readonly<Record<InterruptKind, Readonly<Record<MessageWay, RegExp>>>> = {
  'MSI-X': { pirqs: /^xen-pirq\s+-msi-x$/, vectors: /^PCI-MSIX?\b/ },
  MSI: { pirqs: /^xen-pirq\s+-msi$/, vectors: /^PCI-MSI\b/ },
  INTx: { pirqs: /^xen-pirq\s+-ioapic-level$/, vectors: /^IO-APIC\s.*fasteoi$/ },
};

/** In dom0 by its name in the lab, in the guest by its slot on bus 0. */
export interface LabCard {
  readonly id: string;
  readonly slot: number;
  readonly driver: string;
  readonly kind: InterruptKind;
  /** How many messages its driver asks for. */
  readonly messages: number;
  /** The last number of its address, of a network card. */
  readonly address: number | null;
}

/** One of each kind. */
export const networkCard: LabCard = {
  ...{ id: 'nic0', slot: 5, driver: 'e1000e', address: 15 },
  ...({ kind: 'MSI-X', messages: 3 } as const),
};
const lineCard: LabCard = {
  ...{ id: 'nic2', slot: 6, driver: '8139cp', address: 16 },
  ...({ kind: 'INTx', messages: 0 } as const),
};
export const soundCard: LabCard = {
  ...{ id: 'sound', slot: 7, driver: 'snd_hda_intel', address: null },
  ...({ kind: 'MSI', messages: 1 } as const),
};
export const labCards: readonly LabCard[] = [networkCard, lineCard, soundCard];

const inGuest = (guest: Guest, command: string) => guestRun(guest, command, 180_000);

async function interruptsOf(guest: Guest, { slot, driver, address }: LabCard): Promise<Interrupt[]> {
  const text = await inGuest(guest, 'cat /proc/interrupts');
  if (address === null) return parseInterrupts(text, driver);
  const name = (await inGuest(guest, `ls /sys/bus/pci/devices/0000:00:0${slot}.0/net`)).trim();
  return parseInterrupts(text, name);
}

/**
 * Packets or a sound: the driver has its device, and each of its interrupts comes in the way that is meant. The guest
 * has the tools of interruptToolsScript.
 *
 * @returns how often each came, since the driver asked for it
 */
export async function useCard(guest: Guest, card: LabCard, way: MessageWay): Promise<Record<string, number>> {
  const { slot, driver, address, kind, messages } = card;
  const link = `/sys/bus/pci/devices/0000:00:0${slot}.0/driver`;
  expect((await inGuest(guest, `basename $(readlink ${link})`)).trim()).toBe(driver);
  await inGuest(guest, address === null ? 'make-sound' : `bring-up ${slot} ${address}`);
  const interrupts = await interruptsOf(guest, card);
  expect(interrupts).toHaveLength(Math.max(1, messages));
  for (const { name, controller, count } of interrupts) {
    expect(controller, name).toMatch(controllers[kind][way]);
    expect(count, name).toBeGreaterThan(0);
  }
  return Object.fromEntries(interrupts.map(({ name, count }) => [name, count]));
}
