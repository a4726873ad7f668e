import { expect, it } from 'vitest';
import { runningRig } from '../support/full-card.js';
import { cardName, home, type Rig } from '../support/rig.js';

const claims = ({ hypervisor }: Rig) =>
  hypervisor.calls.filter(({ name }) => name === 'claimMemory').map((call) => call.arguments as [bigint, bigint]);

it.each([false, true])(
  'I9: wherever BARs go, no range is empty, in another, or claimed twice (by touch: %s)',
  (barAccess) => {
    const rig = runningRig(undefined, { barAccess });
    const guest = rig.guest();
    const places = [home.bar0, home.bar3, home.bar3 - 0x1000, 0, 0xffff_f000, 0xffff_ffff, 0xfebf_f000, home.bar1];
    for (const first of places) {
      for (const second of places) {
        for (const index of [0, 1, 3]) guest.placeBar(index, first);
        guest.placeBar(3, second);
        guest.command(5);
        guest.command(7);
      }
    }
    for (const [start, end] of claims(rig)) expect(start).toBeLessThan(end);
    expect([rig.hypervisor.violations, rig.faults]).toEqual([[], []]);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  },
);

it('I9: with no range left nothing is claimed and nothing is given back that was not; it is when there is one', () => {
  const rig = runningRig(undefined, { barAccess: true });
  const guest = rig.guest();
  rig.hypervisor.failAt('claimMemory', 'ENOSPC', 6);
  guest.command(5);
  guest.command(7);
  guest.placeBar(0, home.bar0 + 0x10_0000);
  guest.placeBar(3, home.bar3 + 0x10_0000);
  guest.placeBar(3, home.bar3);
  expect([rig.hypervisor.violations, rig.faults]).toEqual([[], []]);
  guest.command(5);
  guest.command(7);
  expect(rig.hypervisor.isClaimed(BigInt(home.bar3))).toBe(true);
  rig.model.detach(cardName);
  rig.hypervisor.assertBaseline();
});
