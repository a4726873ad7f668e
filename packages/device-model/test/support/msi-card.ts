import type { FunctionImage } from '@xenpt/pci';
import { runningRig } from './full-card.js';
import { at, networkCard } from './network-card.js';
import type { Rig, RigOptions } from './rig.js';

/** Message control of a card with eight vectors, 64 bits, with and without mask bits. */
export const msiControl = { maskable: 0x0186, plain: 0x0086 } as const;
/** Multiple message enable for eight vectors, and enable. */
export const enableEight = 0x0031;
export const maskBits = at.msi + 0x10;

export function msiCard(control: number = msiControl.maskable): FunctionImage {
  return networkCard({ msiControl: control, command: 0x0003 });
}

/** Attached and running, its message written, not enabled. */
export function msiRig(control: number = msiControl.maskable, options: RigOptions = {}): Rig {
  const rig = runningRig(msiCard(control), options);
  writeMessage(rig, 0xfee0_1000, 0x4048);
  return rig;
}

export function writeMessage(rig: Rig, addressLow: number, data: number, addressHigh = 0): void {
  rig.guest().writeConfig(at.msi + 4, addressLow);
  rig.guest().writeConfig(at.msi + 8, addressHigh);
  rig.guest().writeConfig(at.msi + 12, data, 2);
}

export function enableVectors(rig: Rig, control: number = enableEight): void {
  rig.guest().writeConfig(at.msi + 2, control, 2);
}

/** The vectors that Xen delivers now, by pirq. */
export function boundVectors({ hypervisor }: Rig): number[] {
  const bound = hypervisor.pirqsInUse().map((pirq) => hypervisor.boundTo(pirq)?.vector);
  return bound.filter((vector) => vector !== undefined);
}
