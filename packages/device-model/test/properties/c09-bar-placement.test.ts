import { expect, it } from 'vitest';
import { fullCard, runningRig } from '../support/full-card.js';
import { memoryBar } from '../support/network-card.js';
import { romImage } from '../support/rom-image.js';
import { home, makeRig, placeAll } from '../support/rig.js';

const name = '0000:01:00.0';

it.each([
  ['RAM', 0x1000_0000, 'reserved'],
  ['the first MiB', 0x000a_0000, 'reserved'],
  ['the local APIC', 0xfee0_0000, 'reserved'],
  ['the I/O APIC', 0xfec0_0000, 'reserved'],
  ['the HPET', 0xfed0_0000, 'reserved'],
  ['another BAR', home.bar1, 'overlap'],
  ['the end of 32 bits', 0xfffe_0000, 'sizing'],
])('C9: a BAR on %s is not mapped, and nothing breaks', (_what, address, refusal) => {
  const rig = runningRig();
  rig.guest().placeBar(0, address);
  expect(rig.model.view(name).bars[0]).toMatchObject({ guestAddress: null, mapped: false, refusal });
  expect(rig.hypervisor.violations).toEqual([]);
  expect(rig.faults).toEqual([]);
});

it('C9: nor above what the guest can address, nor wrapping 2^64', () => {
  const image = fullCard({ msix: false, resources: [memoryBar(0, 0x40_0000_0000n, 0x10_0000n, true)] });
  const rig = runningRig(image);
  for (const [upper, lower, refusal] of [
    [0x0010_0000, 0, 'too-high'],
    [0xffff_ffff, 0xfff0_0000, 'sizing'],
    [0x8000_0000, 0, 'too-high'],
  ] as const) {
    rig.guest().command(0);
    rig.guest().writeConfig(0x10, lower);
    rig.guest().writeConfig(0x14, upper);
    rig.guest().command(2);
    expect(rig.model.view(name).bars[0]).toMatchObject({ guestAddress: null, refusal });
  }
  expect(rig.hypervisor.mappedFrames()).toEqual([]);
});

it('C9: on a move the old place is gone before the new one is there', () => {
  const rig = runningRig();
  const since = rig.hypervisor.calls.length;
  rig.guest().placeBar(0, home.bar0 + 0x10_0000);
  expect(rig.hypervisor.calls.slice(since).map((call) => call.name)).toEqual(['unmapMemory', 'mapMemory']);
});

it('C9: what Xen would not unmap goes before anything else is claimed in its place', () => {
  const rig = makeRig({ images: [fullCard()] });
  rig.attach({ romImage: romImage() });
  placeAll(rig.guest());
  rig.hypervisor.failAt('unmapMemory');
  rig.guest().placeBar(0, 0);
  const stale = [BigInt(home.bar0) >> 12n, 0xe010_0n, 32n];
  expect(rig.hypervisor.mappedFrames()).toContainEqual(stale);
  rig.guest().writeConfig(0x30, home.bar0 | 1);
  expect(rig.hypervisor.mappedFrames()).not.toContainEqual(stale);
  expect(rig.guest().readMemory(home.bar0, 2)).toBe(0xaa55n);
  expect(rig.hypervisor.violations).toEqual([]);
});

it('C9: nor is anything mapped where Xen would not let go of a claim, before it does', () => {
  const rig = makeRig({ images: [fullCard()] });
  rig.attach({ romImage: romImage() });
  placeAll(rig.guest());
  const place = home.bar0 + 0x10_0000;
  rig.guest().writeConfig(0x30, place | 1);
  rig.hypervisor.failAt('releaseMemory');
  rig.guest().writeConfig(0x30, 0);
  rig.guest().placeBar(0, place);
  expect(rig.hypervisor.mappedFrames()).toContainEqual([BigInt(place) >> 12n, 0xe010_0n, 32n]);
  expect(rig.hypervisor.violations).toEqual([]);
});
