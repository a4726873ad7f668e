import { describe, expect, it } from 'vitest';
import { GuestModel } from '../src/guest-model.js';
import { FakeDevice, FakeHypervisor } from '../src/testing/index.js';
import { request } from './support/guest.js';
import { MortalRig, type Kill } from './support/mortal.js';
import { fullCard } from './support/full-card.js';
import { networkCard } from './support/network-card.js';
import { cardName, slot, type RigOptions } from './support/rig.js';
import { stages } from './support/scenario.js';

const [, firmware, driver] = stages;

/** Attach, firmware, driver; and what the guest and Xen have then. */
function live(kills: readonly Kill[], options: RigOptions = {}) {
  const mortal = new MortalRig(kills, options);
  const { rig } = mortal;
  mortal.attach();
  firmware?.(rig);
  driver?.(rig);
  return { mortal, state: stateOf(mortal) };
}

function stateOf(mortal: MortalRig) {
  const { guest, bars, vectors } = mortal.model.view(cardName);
  const places = bars.map(({ index, guestAddress, mapped, refusal }) => ({ index, guestAddress, mapped, refusal }));
  const bound = vectors.map(({ index, bound: isBound, masked }) => ({ index, isBound, masked }));
  const held = mortal.hypervisor.held().map((text) => text.replace(/pirq \d+ for msi/, 'pirq for msi'));
  return { guest, places, bound, held: held.sort() };
}

function leave(mortal: MortalRig): void {
  mortal.detach();
  expect(mortal.hypervisor.violations).toEqual([]);
  mortal.hypervisor.assertBaseline();
  expect(mortal.faults).toEqual([]);
}

function killsOf({ calls, notes }: MortalRig): Kill[] {
  const each = (at: Kill['at'], count: number) =>
    Array.from({ length: count }, (_, index) =>
      (['before', 'after'] as const).map((when): Kill => ({ at, index, when })),
    ).flat();
  return [...each('call', calls), ...each('note', notes)];
}

describe.each([
  ['mapped when placed', {}],
  ['mapped when touched', { barAccess: true }],
  ['and every capability', { images: [fullCard()] }],
] as const)('a guest whose model is killed at any step, BARs %s,', (_, options: RigOptions) => {
  const calm = live([], options);
  const life = { ...calm };
  leave(calm.mortal);
  const kills = killsOf(calm.mortal);

  it('has steps to be killed in', () => expect(kills.length).toBeGreaterThan(200));

  it('has what it would have had, and gives everything back', () => {
    for (const kill of kills) {
      const { mortal, state } = live([kill], options);
      expect(state, JSON.stringify(kill)).toEqual(life.state);
      leave(mortal);
      expect(mortal.deaths, JSON.stringify(kill)).toBe(1);
      expect(mortal.lost).toBeLessThanOrEqual(1);
    }
  });
});

it('a model that is killed while it waits is taken up without a call to Xen', () => {
  for (const options of [{}, { barAccess: true }, { images: [fullCard()] }]) {
    const { mortal, state } = live([], options);
    const { calls } = mortal;
    mortal.killIdle();
    expect(mortal.calls).toBe(calls);
    expect(stateOf(mortal)).toEqual(state);
    leave(mortal);
  }
});

describe('an eject', () => {
  it('is taken over at every step, told once more, and the function stays gone', () => {
    const play = (kills: readonly Kill[]) => {
      const { mortal } = live(kills);
      const { handler } = mortal.rig;
      const start = { calls: mortal.calls, notes: mortal.notes };
      mortal.expectEjects(0);
      handler.handle(request({ type: 0, address: 0xae08n, size: 4, data: 0x20n }));
      expect(mortal.rig.guest().readConfig(0), JSON.stringify(kills)).toBe(0xffff_ffff);
      expect(mortal.expectEjects(0), JSON.stringify(kills)).toBe(1 << (slot >>> 3));
      expect(mortal.expectEjects(0x20)).toBe(0);
      mortal.detach();
      mortal.ignoreEjects();
      expect(mortal.hypervisor.violations, JSON.stringify(kills)).toEqual([]);
      mortal.hypervisor.assertBaseline();
      return { mortal, start };
    };
    const { mortal, start } = play([]);
    for (const kill of killsOf(mortal).filter(
      ({ at, index }) => index >= (at === 'call' ? start.calls : start.notes),
    )) {
      play([kill]);
    }
  });
});

describe('a state that cannot be noted', () => {
  const full = () => {
    const [device, reports] = [new FakeDevice(networkCard()), [] as string[]];
    const hypervisor = new FakeHypervisor({ devices: [device] });
    const disk = { isFull: false, notes: 0 };
    const model = new GuestModel({
      hypervisor,
      openDevice: () => device,
      report: (cause, text) => reports.push(`${cause}: ${text}`),
      save: () => {
        if (disk.isFull) throw new Error('ENOSPC: no space left on device, write');
        disk.notes += 1;
      },
    });
    return { device, disk, hypervisor, model, reports };
  };
  const attach = (model: GuestModel) => model.attach({ sbdf: cardName, guestDevfn: slot });

  it('refuses an attach before anything is taken', () => {
    const { disk, hypervisor, model } = full();
    disk.isFull = true;
    expect(() => attach(model)).toThrow(/note the state: ENOSPC/);
    expect(hypervisor.held()).toEqual([]);
    disk.isFull = false;
    attach(model);
  });

  it('leaves a guest served that has its device', () => {
    const { disk, hypervisor, model, reports } = full();
    attach(model);
    disk.isFull = true;
    model.bySbdf(slot)?.writeConfig(0x3c, 1, 9);
    model.commit();
    expect(model.bySbdf(slot)?.readConfig(0x3c, 1)).toBe(9);
    expect(reports).toEqual([
      'state: this model cannot be replaced while the guest runs: ENOSPC: no space left on device, write',
    ]);
    model.detach(cardName);
    hypervisor.assertBaseline();
  });

  it('is not tried while nothing changes', () => {
    const { disk, model } = full();
    attach(model);
    const { notes } = disk;
    for (let offset = 0; offset < 256; offset += 4) model.bySbdf(slot)?.readConfig(offset, 4);
    model.bySbdf(slot)?.writeConfig(0, 4, 0x1234_5678);
    model.commit();
    expect(disk.notes).toBe(notes);
    model.bySbdf(slot)?.writeConfig(0x3c, 1, 9);
    model.commit();
    expect(disk.notes).toBe(notes + 1);
    model.bySbdf(slot)?.writeConfig(0x3c, 1, 9);
    model.commit();
    expect(disk.notes).toBe(notes + 1);
  });
});
