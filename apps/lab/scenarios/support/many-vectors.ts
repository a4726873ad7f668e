import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guest } from '../../src/guest/guest.js';
import type { GuestOptions } from '../../src/guest/config.js';
import { guestRun } from '../../src/story/card.js';
import { type Setting, setTheScene } from '../../src/story/setting.js';
import { readXenLedgers } from '../../src/story/xen-ledger.js';
import { type Baseline, expectBaseline, readBaseline } from './baseline.js';
import { guestProgramScript } from './guest-program.js';
import { type MessageWay, networkCard, useCard } from './interrupt-cards.js';
import { interruptToolsScript } from './interrupt-tools.js';
import { tarballs } from './tarballs.js';

const guestName = 'many';
const usbSlot = 8;
/** Xen gives a guest its pirqs from the last one down, so that the first is above what eight bits hold. */
const xenArguments = ['extra_guest_irqs=300', 'nr_irqs=1024'];

/** MSI's registers in the emulated uPD720200 (64-bit, no mask); PCIe 7.7.1. */
const control = '72';
const enabled = (vectors: number) => `w${control}2${hex((Math.log2(vectors) << 4) | 1)}`;
const disabled = `w${control}2${hex(0)}`;
/** To the APIC of the first processor, from vector 0x60 on. */
const message = `w744${hex(0xfee0_0000)}w784${hex(0)}w7c2${hex(0x60)}`;

/** A host whose guests may have many pirqs: those above 255, and MSI of 16 vectors; tests in order. */
export function describeManyVectors(
  profile: string,
  guestOf: Readonly<Record<MessageWay, Pick<GuestOptions, 'kernelArguments' | 'extraConfig'>>>,
): void {
  describe(`${profile}, many vectors`, () => {
    let setting: Setting;
    let baseline: Baseline;

    const run = (command: string) => setting.lab.run(command, { timeoutMs: 180_000 });
    const sbdfs = () => [setting.lab.sbdf(networkCard.id), setting.lab.sbdf('usb')];
    const messages = async () => (await readXenLedgers(setting.lab, sbdfs())).map((of) => of.messageInterrupts);

    /** By Xen's number of a message, the pirq by which the guest has it; from debug key `i`. */
    const messagesBoundTo = async ({ domid }: Guest): Promise<ReadonlyMap<number, number>> => {
      const text = await run('xl dmesg -c >/dev/null; xl debug-keys i; sleep 1; xl dmesg -c');
      const binding = new RegExp(`IRQ:\\s*(\\d+)\\b.*PCI-MSI.*\\bd?${domid}:\\s*(\\d+)\\(`, 'g');
      return new Map([...text.matchAll(binding)].map(([, irq, pirq]) => [Number(irq), Number(pirq)]));
    };

    const start = async (way: MessageWay): Promise<Guest> => {
      const guest = await setting.lab.createGuest({
        ...{ name: guestName, vcpus: 2, paused: true, passthrough: 'sync_pt' },
        script: [interruptToolsScript(), ...guestProgramScript('config-probe'), ''].join('\n'),
        ...guestOf[way],
      });
      const slots = [networkCard.slot, usbSlot];
      for (const [index, sbdf] of sbdfs().entries()) await run(`xenpt attach ${guestName} ${sbdf}@${slots[index]}`);
      await guest.unpause();
      await guest.waitUntilReady();
      return guest;
    };

    beforeAll(async () => {
      setting = await setTheScene({
        ...{ profile, tarballs },
        moreDevices: [{ kind: 'nec-usb-xhci', id: 'usb' }],
        moreXenArguments: xenArguments,
      });
      await run(`xenpt assignable add --no-reset-ok ${sbdfs().join(' ')}`);
      baseline = await readBaseline(setting.lab, sbdfs());
    });
    afterAll(() => setting?.close());

    it('pirqs above 255 interrupt the guest', async () => {
      await using guest = await start('pirqs');
      console.table(await useCard(guest, networkCard, 'pirqs'));
      const [ofCard = []] = await messages();
      const pirqs = await messagesBoundTo(guest);
      for (const irq of ofCard) expect(pirqs.get(irq), `interrupt ${irq}`).toBeGreaterThan(255);
      await guestRun(guest, 'ping -c 20 -i 0.2 -W 20 10.0.2.2', 180_000);
      await guest.destroy();
      await expectBaseline(setting.lab, guest.domid, baseline);
    });

    it('MSI of as many vectors as the guest enables, up to 16', async () => {
      await using guest = await start('vectors');
      const probe = (script: string) =>
        guestRun(guest, `printf ${script} | config-probe ${(usbSlot << 3).toString(16)}`, 60_000);
      for (const vectors of [1, 16, 4]) {
        expect(await probe(`${message}${enabled(vectors)}r${control}2`)).toMatch(/^0000[0-9a-f]{4}!$/);
        // Xen's ledger has the first of them only.
        const [ofCard = [], [first = 0] = []] = await messages();
        const bound = [...(await messagesBoundTo(guest))].filter(([irq]) => !ofCard.includes(irq));
        expect(bound.map(([irq]) => irq)).toContain(first);
        // Pirqs of one function follow each other; interrupts of the host are those that were free.
        const pirqs = bound.map(([, pirq]) => pirq).sort((a, b) => a - b);
        expect(pirqs).toEqual(Array.from({ length: vectors }, (_, index) => (pirqs[0] ?? 0) + index));
        await probe(disabled);
        expect((await messages())[1]).toEqual([]);
      }
      await probe(`${message}${enabled(16)}`);
      await guest.destroy();
      await expectBaseline(setting.lab, guest.domid, baseline);
    });
  });
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
