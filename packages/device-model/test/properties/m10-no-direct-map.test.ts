import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { memoryBar, networkCard } from '../support/network-card.js';
import { cardName, home } from '../support/rig.js';

/** The machine frames that hold a byte of the table. */
const tableFrames = [0xe004_1n, 0xe004_2n];

it('M10: no frame with a byte of the table is ever mapped, wherever the guest puts the BAR', () => {
  const resources = [memoryBar(0, 0xe000_0000n, 0x2_0000n), memoryBar(3, 0xe004_0000n, 0x4000n)];
  const image = networkCard({ resources, msixVectorCount: 20, msixTable: 0x1f03, msixPending: 0x3003, command: 3 });
  const place = fc.oneof(
    fc.integer({ min: 0xeffff, max: 0xf004f }).map((page) => page * 4096),
    fc.constantFrom(0, 0xffff_ffff, home.bar0, home.bar3, home.bar3 + 0x1000),
  );
  const step = fc.oneof(
    place.map((address) => ({ address, bar: 3 })),
    place.map((address) => ({ address, bar: 0 })),
    fc.constantFrom(0, 2, 7).map((command) => ({ command })),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 20 }), (barAccess, steps) => {
      const rig = runningRig(image, { barAccess });
      for (const one of steps) {
        if ('command' in one) rig.guest().command(one.command);
        else rig.guest().placeBar(one.bar, one.address);
        // Where BARs are mapped when touched, all of this one is touched.
        for (let page = 0; page < 4; page += 1) {
          const bar = rig.model.view('01:00.0').bars.find(({ index }) => index === 3)?.guestAddress;
          if (bar !== null && bar !== undefined) rig.guest().readMemory(Number(bar) + page * 4096);
        }
        for (const [, first, count] of rig.hypervisor.mappedFrames()) {
          for (const frame of tableFrames) expect(frame >= first && frame < first + count).toBe(false);
        }
      }
      expect(rig.hypervisor.violations).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

/** The card’s BAR 3 has four pages from 0xe0140000 on; a table of five entries is 80 bytes. */
const firstFrame = 0xe014_0n;

it.each([
  ['pending bits in BAR 7', { msixTable: 0x1003, msixPending: 0x2007 }, [1]],
  ['pending bits in an empty BAR', { msixTable: 0x0003, msixPending: 0x2004 }, [0]],
  ['pending bits behind their BAR', { msixTable: 0x2003, msixPending: 0x4003 }, [2]],
  ['pending bits on the table', { msixTable: 0x1003, msixPending: 0x1003 }, [1]],
  ['a table that ends behind its BAR', { msixTable: 0x3fc3 }, [3]],
  ['more entries than fit', { msixVectorCount: 2048, msixTable: 0x2003 }, [2, 3]],
] as const)('M10: nor where MSI-X is hidden for %s', (_, options, pages) => {
  for (const barAccess of [false, true]) {
    const rig = runningRig(networkCard({ ...options, command: 3 }), { barAccess });
    const guest = rig.guest();
    const table = home.bar3 + (options.msixTable & ~7);
    const touchAll = () => [0, 1, 2, 3].map((page) => guest.readMemory(home.bar3 + page * 4096 + 0xf00));
    const beside = touchAll();
    for (let page = 0; page < 4; page += 1) {
      const frame = firstFrame + BigInt(page);
      const isMapped = rig.hypervisor.mappedFrames().some(([, first, n]) => frame >= first && frame < first + n);
      expect([page, isMapped]).toEqual([page, !pages.some((one) => one === page)]);
    }
    // Of the neighbour's addresses nothing is taken.
    expect(rig.hypervisor.isClaimed(BigInt(home.bar3) + 0x4000n)).toBe(false);
    // Its bytes answer ones and take nothing; what stands beside them on the page is the device's, where we reach it.
    guest.writeMemory(table, 0xfee0_1000);
    guest.writeMemory(table + 8, 0x4055n, 8);
    expect(guest.readMemory(table)).toBe(0xffff_ffffn);
    expect(guest.readMemory(table + 8, 8)).toBe(0xffff_ffff_ffff_ffffn);
    if (barAccess && pages.length === 1 && options.msixTable < 0x3000) {
      expect(beside[pages[0]]).toBe(BigInt(rig.device.bar(3).read(pages[0] * 4096 + 0xf00, 4)));
      guest.writeMemory(home.bar3 + pages[0] * 4096 + 0xf00, 0x1234);
      expect(guest.readMemory(home.bar3 + pages[0] * 4096 + 0xf00)).toBe(beside[pages[0]]);
    }
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  }
});

it('M10: a table in no BAR, or behind the end of its own, keeps nothing from the guest', () => {
  for (const msixTable of [0x0006, 0x0004, 0x4003, 0xffff_fff3]) {
    const rig = runningRig(networkCard({ msixTable, command: 3 }));
    expect(rig.hypervisor.mappedFrames()).toContainEqual([BigInt(home.bar3) >> 12n, firstFrame, 4n]);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  }
});
