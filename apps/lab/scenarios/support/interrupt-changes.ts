import { describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import { guestRun } from '../../src/story/card.js';
import { type LabCard, type MessageWay, networkCard, soundCard, useCard } from './interrupt-cards.js';

interface Change {
  readonly parameters: string;
  readonly card: LabCard;
  /** What the driver goes back to, and the words by which it says so, where that is right as well. */
  readonly or?: { readonly says: RegExp; readonly card: LabCard };
}

const byMsi = { kind: 'MSI', messages: 1 } as const;
const byLine = { kind: 'INTx', messages: 0 } as const;

/**
 * What each driver is told to interrupt by, in this order. e1000e gives its card 100 ms for a first interrupt by MSI,
 * which in an emulated host is not always enough, in dom0 without passthrough neither.
 */
const changes: readonly Change[] = [
  { parameters: 'IntMode=0', card: { ...networkCard, ...byLine } },
  { parameters: 'IntMode=2', card: networkCard },
  {
    parameters: 'IntMode=1',
    card: { ...networkCard, ...byMsi },
    or: { says: /MSI interrupt test failed, using legacy interrupt/, card: { ...networkCard, ...byLine } },
  },
  { parameters: 'IntMode=2', card: networkCard },
  { parameters: 'enable_msi=0', card: { ...soundCard, ...byLine } },
  { parameters: 'enable_msi=1', card: soundCard },
];

/** The 82574L's MSI-X table is at the start of its BAR 3. */
const tableBar = { index: 3, register: '1c' } as const;
/** Free in the memory hole of every guest of the lab. */
const elsewhere = 0xfb00_0000;

/** Offsets in a table entry; PCIe 7.7.2.4 to 7.7.2.7. */
const entryBytes = 16;
const vectorControl = 12;

/**
 * A card's interrupts after what drivers and firmware may do; tests in order.
 *
 * @param guest has labCards, the tools of interruptToolsScript and the program config-probe
 * @param messages how many Xen has for each of labCards
 */
export function interruptChangeScenarios(
  guest: () => Guest,
  { way, messages }: { readonly way: MessageWay; readonly messages: () => Promise<number[]> },
): void {
  const run = (command: string) => guestRun(guest(), command, 180_000);

  describe('after a change', () => {
    it('of what a driver asks for: messages of either kind and the line, in turn', async () => {
      for (const { parameters, card, or } of changes) {
        const { driver, slot, address } = card;
        await run(`rmmod ${driver} && dmesg -c >/dev/null && load ${driver} ${parameters}`);
        if (address !== null) await run(`bring-up ${slot} ${address}`);
        const its = or?.says.test(await run('dmesg')) ? or.card : card;
        await useCard(guest(), its, way).catch((cause: unknown) => {
          throw new Error(`${driver} ${parameters}`, { cause });
        });
        const ofCard = (await messages())[card.id === networkCard.id ? 0 : 2];
        expect(ofCard, parameters).toBe(its.messages);
      }
    });

    it('of where the table is, while MSI-X is on: they come as before, and are masked there', async () => {
      const { slot, address } = networkCard;
      const file = `/sys/bus/pci/devices/0000:00:0${slot}.0/resource`;
      const home = (await run(`sed -n ${tableBar.index + 1}p ${file}`)).slice(2, 18).replace(/^0+/, '');
      // Memory decoding off, the BAR's new place, decoding as it was.
      const move = (place: string) =>
        run(
          `printf s04w04200000404w${tableBar.register}4${place.padStart(8, '0')}x042r${tableBar.register}4 | ` +
            `config-probe ${(slot << 3).toString(16)}`,
        );
      const used = () => useCard(guest(), networkCard, way);
      // The other card has the gateway as its neighbour too.
      const ping = `ping -I $(ls /sys/bus/pci/devices/0000:00:0${slot}.0/net)`;
      await run(`rmmod ${networkCard.driver} && load ${networkCard.driver}`);
      const before = await used();
      expect(await move(elsewhere.toString(16))).toMatch(new RegExp(`${elsewhere.toString(16)}!`));
      await run(`${ping} -c 3 -W 5 10.0.2.2`);
      const after = await used();
      const received = Object.keys(before).find((name) => name.endsWith('rx-0')) ?? '';
      expect(after[received]).toBeGreaterThan(before[received] ?? 0);

      // A guest that takes pirqs masks them at its event channels, and never in the table.
      if (way === 'vectors') {
        // Entry 0 is the one for what is received.
        const control = elsewhere + 0 * entryBytes + vectorControl;
        await run(`devmem ${control} 32 1`);
        await run(`! ${ping} -c 2 -W 2 10.0.2.2`);
        await run(`devmem ${control} 32 0`);
        await run(`bring-up ${slot} ${address}`);
      }

      expect(await move(home)).toMatch(new RegExp(`${home}!`));
      await run(`rmmod ${networkCard.driver} && load ${networkCard.driver}`);
      await used();
    });
  });
}
