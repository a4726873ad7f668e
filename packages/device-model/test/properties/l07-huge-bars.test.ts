import { expect, it } from 'vitest';
import { fullCard, runningRig } from '../support/full-card.js';
import { memoryBar } from '../support/network-card.js';
import { cardName, type Rig } from '../support/rig.js';

const host = 0x40_0000_0000n;
const guestUpper = 0x40;

function rigWith(sizeBytes: bigint): Rig {
  return runningRig(fullCard({ msix: false, resources: [memoryBar(0, host, sizeBytes, true)] }));
}

function place(rig: Rig): void {
  const guest = rig.guest();
  guest.command(0);
  guest.writeConfig(0x10, 0);
  guest.writeConfig(0x14, guestUpper);
  guest.command(2);
}

it.each([1n << 32n, 1n << 36n, 1n << 38n])(
  'L7: a BAR of %d bytes is mapped whole and unmapped whole',
  (sizeBytes) => {
    const rig = rigWith(sizeBytes);
    place(rig);
    const [piece, ...rest] = rig.model.view(cardName).bars;
    expect(piece).toMatchObject({ guestAddress: BigInt(guestUpper) << 32n, mapped: true });
    expect(rest).toEqual([]);
    rig.guest().command(0);
    expect(rig.hypervisor.mappedFrames()).toEqual([]);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  },
);

it('L7: one that Xen refuses stays unmapped as a whole, and the guest’s next try maps it', () => {
  const rig = rigWith(1n << 36n);
  rig.hypervisor.failAt('mapMemory', 'E2BIG', 1);
  place(rig);
  expect(rig.hypervisor.mappedFrames()).toEqual([]);
  expect(rig.model.view(cardName).bars[0]).toMatchObject({ mapped: false });
  expect(rig.statistics.counts.failedEffects.mapBar).toBe(1);
  place(rig);
  expect(rig.model.view(cardName).bars[0]).toMatchObject({ mapped: true });
});

it('L7: what Xen does not unmap is not forgotten: it goes before the BAR is mapped elsewhere, and at detach', () => {
  const rig = rigWith(1n << 36n);
  place(rig);
  rig.hypervisor.failAt('unmapMemory', 'ENOMEM', 1);
  rig.guest().command(0);
  place(rig);
  expect(rig.hypervisor.violations).toEqual([]);
  rig.model.detach(cardName);
  rig.hypervisor.assertBaseline();
});
