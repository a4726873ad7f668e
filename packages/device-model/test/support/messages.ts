import { at } from './network-card.js';
import { home, type Rig } from './rig.js';

/** Entry `entry` of MSI-X with a message of its own, unmasked. */
export function unmaskEntry(rig: Rig, entry: number): void {
  const start = home.bar3 + 16 * entry;
  rig.guest().writeMemory(start, 0xfee0_0000);
  rig.guest().writeMemory(start + 8, 0x4030 + entry);
  rig.guest().writeMemory(start + 12, 0);
}

export function enableMsix(rig: Rig): void {
  rig.guest().writeConfig(at.msix + 2, 0x8000, 2);
}

/** MSI with a message, as a driver sets it up. */
export function enableMsi(rig: Rig): void {
  rig.guest().writeConfig(at.msi + 4, 0xfee0_0000);
  rig.guest().writeConfig(at.msi + 8, 0);
  rig.guest().writeConfig(at.msi + 12, 0x4040, 2);
  rig.guest().writeConfig(at.msi + 2, 0x0001, 2);
}

export const controls = { msi: at.msi + 2, msix: at.msix + 2 } as const;
