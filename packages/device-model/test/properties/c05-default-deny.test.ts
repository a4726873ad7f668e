import { expect, it } from 'vitest';
import { bytesWritten, everyAccess, fullAt, fullCard, runningRig } from '../support/full-card.js';
import { at } from '../support/network-card.js';
import { makeRig, placeAll, type Rig } from '../support/rig.js';

const field = fullAt.vendor + 4;

function rigWith(policy: Parameters<Rig['attach']>[0], opened: readonly number[]): Rig {
  const rig = makeRig({ images: [fullCard()] });
  for (const byte of opened) rig.device.opened.add(byte);
  rig.attach(policy);
  placeAll(rig.guest());
  return rig;
}

it('C5: a byte that nothing describes is read from the device and never written', () => {
  const rig = runningRig();
  const since = rig.device.writes.length;
  rig.device.poke(field, 0x5a);
  rig.guest().writeConfig(field, 0xff, 1);
  expect(rig.guest().readConfig(field, 1)).toBe(0x5a);
  expect(bytesWritten(rig, since)).toEqual(new Set());
});

it('C5: an unknown capability is not in the list, and reads 0', () => {
  const rig = runningRig();
  rig.device.poke(fullAt.unknown + 2, 0x77, 0x77);
  expect(rig.guest().readConfig(fullAt.unknown)).toBe(0);
  expect(rig.guest().readConfig(fullAt.features + 1, 1)).not.toBe(fullAt.unknown);
});

it('C5: an allowed field is written, and its neighbours are not', () => {
  const rig = rigWith({ allow: ['vendor-specific@0x80+4:0x0f'] }, [field]);
  rig.device.poke(field, 0x50, 0x50);
  rig.guest().writeConfig(field, 0xffff_ffff);
  expect(rig.guest().readConfig(field, 2)).toBe(0x505f);
  expect(rig.hypervisor.violations).toEqual([]);
  expect(rig.reports.join()).toContain('vendor-specific@0x80+4:0x0f');
});

it('C5: a permissive function keeps BARs, decode, messages, power state and resets mediated', () => {
  const described = [4, 5, at.vpd + 2, at.vpd + 3, at.msi + 2, at.msi + 3, at.msix + 2, at.msix + 3];
  const rig = rigWith({ permissive: true }, []);
  const open = new Set<number>();
  for (let byte = 0x40; byte < 256; byte += 1) rig.device.opened.add(byte);
  for (const [offset, width] of everyAccess) {
    const since = rig.device.writes.length;
    rig.guest().writeConfig(offset, 0xffff_ffff, width);
    for (const byte of bytesWritten(rig, since)) open.add(byte);
    if (offset === at.powerManagement + 4) rig.guest().writeConfig(offset, 0, width);
  }
  const mediated = [
    ...Array.from({ length: 0x40 }, (_, byte) => byte),
    ...Array.from({ length: 12 }, (_, byte) => at.msix + byte),
    ...Array.from({ length: 16 }, (_, byte) => at.msi + byte),
    ...Array.from({ length: 8 }, (_, byte) => at.powerManagement + byte),
    ...Array.from({ length: 12 }, (_, byte) => fullAt.express + byte),
    ...Array.from({ length: 6 }, (_, byte) => fullAt.features + byte),
    ...Array.from({ length: 4 }, (_, byte) => fullAt.unknown + byte),
  ];
  expect(mediated.filter((byte) => open.has(byte) && !described.includes(byte))).toEqual([]);
  expect(open.has(field)).toBe(true);
  expect(rig.device.command & 3).toBe(3);
  expect(rig.reports.join()).toContain('permissive');
});
