import { describe, expect, it } from 'vitest';
import { DeviceModelError } from '../src/errors.js';
import { FakeXenError } from '../src/testing/index.js';
import { at, networkCard } from './support/network-card.js';
import { cardName, home, makeRig, placeAll, slot, type Rig } from './support/rig.js';
import { liveThrough, stages } from './support/scenario.js';

const callsOfALife = (() => {
  const rig = makeRig();
  const counts = liveThrough(rig);
  rig.hypervisor.assertBaseline();
  return { attach: counts[0] ?? 0, beforeDetach: counts[2] ?? 0, all: counts[3] ?? 0 };
})();

function errorOf(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Everything back, at the latest with the second try. */
function detachForGood(rig: Rig): void {
  if (rig.model.devices.length === 0) return;
  const error = errorOf(() => rig.model.detach(cardName));
  if (error === undefined) return;
  expect(error).toMatchObject({ code: 'DEVICE_MODEL_RELEASE_INCOMPLETE' });
  rig.model.detach(cardName);
}

describe('a refusal by Xen', () => {
  it('has enough calls to refuse', () => {
    expect(callsOfALife.attach).toBe(3);
    expect(callsOfALife.all).toBeGreaterThan(60);
  });

  it.each(Array.from({ length: callsOfALife.all }, (_, index) => index))('of call %i leaks nothing', (index) => {
    const rig = makeRig();
    rig.hypervisor.failAt(index);
    for (const [number, stage] of stages.entries()) {
      const error = errorOf(() => stage(rig));
      if (number === 0 && error !== undefined) {
        expect(error).toMatchObject({ code: 'DEVICE_MODEL_ATTACH_FAILED', step: 'claim guest function 05.0' });
        expect((error as Error).cause).toBeInstanceOf(FakeXenError);
        rig.hypervisor.assertBaseline();
        expect(rig.device.closeCount).toBe(1);
        return;
      }
      if (error !== undefined) expect(number).toBe(3);
    }
    detachForGood(rig);
    rig.hypervisor.assertBaseline();
    expect(rig.faults).toEqual([]);
  });

  it.each([
    'mapMsi',
    'bindMsi',
    'mapMemory',
    'mapPorts',
    'claimMemory',
    'unbindMsi',
    'unmapPirq',
    'unmapMemory',
  ] as const)('of every %s until detach leaks nothing', (name) => {
    const rig = makeRig();
    rig.hypervisor.failAt(name, 'EINVAL', 3);
    for (const stage of stages.slice(0, 3)) stage(rig);
    detachForGood(rig);
    rig.hypervisor.assertBaseline();
  });
});

describe('a refusal by the host', () => {
  it.each(Array.from({ length: 16 }, (_, index) => index))('of config write %i leaks nothing', (index) => {
    const rig = makeRig({ images: [networkCard({ command: 0x0007 })] });
    rig.device.failWriteAfter(index);
    for (const [number, stage] of stages.entries()) {
      const error = errorOf(() => stage(rig));
      if (error === undefined) continue;
      expect([0, 3]).toContain(number);
      if (number === 0) return rig.hypervisor.assertBaseline();
    }
    detachForGood(rig);
    rig.hypervisor.assertBaseline();
  });
});

describe('a bind that fails', () => {
  it('leaves the entry for the next unmask, and says so once per cause and second', () => {
    const rig = makeRig();
    rig.attach();
    const guest = rig.guest();
    placeAll(guest);
    rig.hypervisor.failAt('bindMsi', 'ENOMEM', 2);
    guest.writeConfig(at.msix + 2, 0x8004, 2);
    guest.writeMemory(home.bar3 + 8, 0x4041);
    guest.writeMemory(home.bar3 + 12, 0);
    guest.writeMemory(home.bar3 + 12, 0);
    expect(rig.model.view(cardName).vectors[0]).toMatchObject({ bound: false, pirq: null });
    guest.writeMemory(home.bar3 + 12, 0);
    expect(rig.model.view(cardName).vectors[0]).toMatchObject({ bound: true, pirq: 79 });
    expect(rig.statistics.counts.failedEffects.bindMessage).toBe(2);
    expect(rig.reports).toHaveLength(2);
  });

  it('for want of pirqs serves as many entries as there are', () => {
    const rig = makeRig({ hypervisor: { messagePirqs: 2 } });
    for (const stage of stages.slice(0, 3)) stage(rig);
    expect(rig.model.view(cardName).vectors.map(({ bound }) => bound)).toEqual([true, true, false, false, false]);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });
});

describe('attach', () => {
  it('names what is left when undoing fails as well', () => {
    const rig = makeRig();
    rig.hypervisor.failAt('claimFunction', 'EPERM');
    rig.hypervisor.failAt('unbindIntx', 'EIO');
    const error = errorOf(() => rig.attach());
    expect(error).toBeInstanceOf(DeviceModelError);
    expect(error).toMatchObject({ code: 'DEVICE_MODEL_ATTACH_FAILED', left: ['pirq 16 bound for INTx'] });
  });

  it('goes on without INTx when Xen refuses the line, and keeps it off in hardware', () => {
    for (const call of ['mapGsi', 'bindIntx'] as const) {
      const rig = makeRig();
      rig.hypervisor.failAt(call);
      expect(rig.model.attach({ sbdf: cardName, guestDevfn: slot }).pirq).toBe(null);
      expect(rig.device.command & 0x0400).toBe(0x0400);
      rig.guest().writeConfig(4, 0x0400, 2);
      rig.guest().writeConfig(4, 0x0000, 2);
      expect(rig.device.command & 0x0400).toBe(0x0400);
      expect(rig.reports).toHaveLength(1);
      rig.model.detach(cardName);
      rig.hypervisor.assertBaseline();
    }
  });

  it('refuses a BAR that starts inside a page', () => {
    const resources = [{ ...networkCard().resources[0]!, start: 0xe000_0400n, sizeBytes: 0x400n }];
    const rig = makeRig({ images: [networkCard({ resources, msix: false })] });
    expect(() => rig.attach()).toThrow(/BAR 0 of 0000:01:00.0 starts at 0xe0000400, inside a page/);
    expect(rig.hypervisor.calls).toEqual([]);
  });

  it.each([0, -1, 256, 1.5, Number.NaN])('refuses guest function %s', (guestDevfn) => {
    const rig = makeRig();
    expect(errorOf(() => rig.model.attach({ sbdf: cardName, guestDevfn }))).toMatchObject({
      code: 'DEVICE_MODEL_SLOT_INVALID',
    });
  });

  it('refuses a function twice, a slot twice, and detach of what is not attached', () => {
    const rig = makeRig({ images: [networkCard(), networkCard({ bus: 2 })] });
    rig.attach();
    expect(errorOf(() => rig.attach())).toMatchObject({ code: 'DEVICE_MODEL_ALREADY_ATTACHED' });
    const second = { sbdf: '0000:02:00.0', guestDevfn: slot };
    expect(errorOf(() => rig.model.attach(second))).toMatchObject({ code: 'DEVICE_MODEL_SLOT_IN_USE' });
    expect(errorOf(() => rig.model.detach('0000:02:00.0'))).toMatchObject({ code: 'DEVICE_MODEL_NOT_ATTACHED' });
  });

  it('turns off what an earlier owner left on, with 16 bits', () => {
    const image = networkCard({ command: 0x0007 });
    const view = new DataView(image.config.buffer);
    view.setUint16(at.msix + 2, 0x8004, true);
    const rig = makeRig({ images: [image] });
    rig.attach();
    expect(rig.device.writes[0]).toEqual({ offset: at.msix + 2, width: 2, value: 0x0004 });
    expect(rig.device.command & 0x0407).toBe(0x0003);
  });
});

describe('a detach that did not finish', () => {
  it('shows the guest an empty slot all the same', () => {
    const rig = makeRig();
    rig.attach();
    placeAll(rig.guest());
    rig.hypervisor.failAt('releaseFunction', 'EIO');
    const error = errorOf(() => rig.model.detach(cardName));
    expect(error).toMatchObject({ left: ['guest function 05.0 claimed'] });
    const writes = rig.device.writes.length;
    placeAll(rig.guest());
    rig.guest().writeConfig(at.msix + 2, 0x8004, 2);
    expect(rig.guest().readConfig(0)).toBe(0xffff_ffff);
    expect(rig.guest().readMemory(home.bar3)).toBe(0xffff_ffffn);
    expect(rig.device.writes.length).toBe(writes);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });
});

describe('a device that is pulled out', () => {
  it('reads all ones, is written no more, and can be detached', () => {
    const rig = makeRig();
    rig.attach();
    placeAll(rig.guest());
    rig.device.present = false;
    const effects = rig.statistics.counts.effects.writeConfig;
    expect(rig.guest().readConfig(0x08)).toBe(0xffff_ffff);
    rig.guest().command(0x0003);
    expect(rig.statistics.counts.effects.writeConfig).toBe(effects);
    rig.model.detach(cardName);
    expect(rig.hypervisor.held()).toEqual([]);
  });
});

describe('a domain that is gone', () => {
  it('is not called any more, and leaves the hardware quiet', () => {
    const rig = makeRig();
    for (const stage of stages.slice(0, 3)) stage(rig);
    rig.hypervisor.domainGone = true;
    const calls = rig.hypervisor.calls.length;
    rig.model.abandon();
    expect(rig.hypervisor.calls.length).toBe(calls);
    expect([rig.device.msixEnabled, rig.device.command & 0x0404]).toEqual([false, 0x0400]);
    expect(rig.device.closeCount).toBe(1);
    expect(rig.model.devices).toEqual([]);
  });
});

describe('two functions of one guest', () => {
  it('share a line, and the last one gives it back', () => {
    const rig = makeRig({ images: [networkCard(), networkCard({ bus: 2 })] });
    rig.attach();
    rig.model.attach({ sbdf: '02:00.0', guestDevfn: 6 << 3 });
    expect(rig.hypervisor.count('mapGsi')).toBe(1);
    expect(rig.hypervisor.count('bindIntx')).toBe(2);
    rig.model.detach(cardName);
    expect(rig.hypervisor.pirqsInUse()).toEqual([16]);
    rig.model.detach('0000:02:00.0');
    rig.hypervisor.assertBaseline();
  });

  it('cannot be placed on each other', () => {
    const rig = makeRig({ images: [networkCard(), networkCard({ bus: 2 })] });
    rig.attach();
    rig.model.attach({ sbdf: '02:00.0', guestDevfn: 6 << 3 });
    placeAll(rig.guest());
    placeAll(rig.guest(6 << 3));
    expect(rig.model.view('02:00.0').bars.map(({ refusal }) => refusal)).toEqual([
      'overlap',
      'overlap',
      'overlap',
      'overlap',
      null,
    ]);
    expect(rig.hypervisor.violations).toEqual([]);
    rig.model.releaseAll();
    rig.hypervisor.assertBaseline();
  });
});
