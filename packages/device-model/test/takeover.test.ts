import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuestModel } from '../src/guest-model.js';
import type { GuestSaved } from '../src/state.js';
import { FakeDevice, FakeHypervisor } from '../src/testing/index.js';
import { request } from './support/guest.js';
import { MortalRig, type Kill } from './support/mortal.js';
import { fullCard } from './support/full-card.js';
import { at, networkCard } from './support/network-card.js';
import { cardName, home, slot, type RigOptions } from './support/rig.js';
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

it('what is on disk is at every answer what the model has, though most of it was added word by word', () => {
  const offset = fc.oneof(
    fc.constantFrom(0x04, 0x0c, 0x3c, at.msi, at.msi + 4, at.msix),
    fc.nat(63).map((n) => n * 4),
  );
  const value = fc.oneof(fc.constantFrom(0, 0xffff_ffff, 0x0007, 0x8004_0000), fc.nat());
  const config = fc.record({ kind: fc.constant('config' as const), offset, value });
  const entryWord = fc.nat(4 * 5 - 1).map((word) => word * 4);
  const table = fc.record({
    kind: fc.constant('table' as const),
    offset: entryWord,
    value,
    size: fc.constantFrom(4, 8),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(config, table), { maxLength: 40 }), (accesses) => {
      const { mortal } = live([]);
      const guest = mortal.rig.guest();
      for (const access of accesses) {
        if (access.kind === 'config') guest.writeConfig(access.offset, access.value);
        else guest.writeMemory(home.bar3 + access.offset, access.value, access.size);
        expect(mortal.onDisk).toEqual(structuredClone(mortal.model.saved));
      }
    }),
    { numRuns: 60 },
  );
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
  const full = (saveWords?: () => boolean) => {
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
      ...(saveWords === undefined ? {} : { saveWords }),
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

  it('is not mended by words: the next change saves the whole', () => {
    let words = 0;
    const { disk, model } = full(() => (words += 1) > 0);
    attach(model);
    const write = (value: number) => {
      model.bySbdf(slot)?.writeConfig(0x3c, 1, value);
      model.commit();
    };
    write(9);
    expect(words).toBe(1);
    disk.isFull = true;
    model.bySbdf(slot)?.writeConfig(0x04, 2, 0x0407);
    model.commit();
    disk.isFull = false;
    const { notes } = disk;
    write(10);
    expect([words, disk.notes]).toEqual([1, notes + 1]);
    write(11);
    expect([words, disk.notes]).toEqual([2, notes + 1]);
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

it('a bind that is made again, and refused, is not one that was made', () => {
  const { calls } = live([]).mortal.hypervisor;
  const binds = calls.flatMap(({ name }, index) => (name === 'bindMsi' ? [index] : []));
  for (const index of binds) {
    const mortal = new MortalRig([{ at: 'call', index, when: 'before' }]);
    mortal.hypervisor.failAt(index, 'ENOMEM');
    mortal.attach();
    firmware?.(mortal.rig);
    driver?.(mortal.rig);
    expect(mortal.deaths).toBe(1);
    leave(mortal);
  }
});

it('a detach that Xen refuses is noted, so that nobody takes the refusal for a call that was made', () => {
  const { mortal } = live([]);
  mortal.hypervisor.failAt('unmapMemory', 'EBUSY', 100);
  expect(() => mortal.detach()).toThrow(/release failed/);
  expect(mortal.onDisk).toEqual(structuredClone(mortal.model.saved));
  mortal.hypervisor.failAt('claimPorts', 'EBUSY');
  expect(() => mortal.expectEjects(0)).toThrow(/EBUSY/);
  expect(mortal.onDisk).toEqual(structuredClone(mortal.model.saved));
});

it('whatever is noted while a model is taken over, each function is where it was', () => {
  const devices = [1, 2].map((bus) => new FakeDevice(networkCard({ bus })));
  const hypervisor = new FakeHypervisor({ devices });
  const notes: GuestSaved[] = [];
  const start = () =>
    new GuestModel({
      hypervisor,
      openDevice: ({ bus }) => devices[bus - 1]!,
      save: (state) => void notes.push(structuredClone(state)),
    });
  const model = start();
  model.attach({ sbdf: cardName, guestDevfn: slot });
  model.attach({ sbdf: '02:00.0', guestDevfn: slot + 8 });
  model.bySbdf(slot)?.writeConfig(0x10, 4, home.bar0);
  model.bySbdf(slot)?.writeConfig(0x04, 2, 2);
  const left = notes.find(({ intent }) => intent?.name === 'mapMemory')!;
  hypervisor.unmapMemory(...(left.intent?.values as [bigint, bigint, bigint]));
  notes.length = 0;
  start().restore(left);
  expect(notes.length).toBeGreaterThan(1);
  for (const { functions } of notes) expect(functions.map(({ stage }) => stage)).toEqual(['serving', 'serving']);
});
