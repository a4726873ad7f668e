import type { ConfigAccess } from '@xenpt/pci';
import type { MessageKind } from './effects.js';

/** Enable bits of message control: MSI bit 0; MSI-X bit 15, with the function mask in bit 14. */
const enableBits: Readonly<Record<MessageKind, number>> = { msi: 0x0001, 'msi-x': 0xc000 };

const notThere = 0xffff;

/** Turns a message capability off with a 16-bit write if it is on: Xen lets no other width through. */
export function turnMessagesOff(config: ConfigAccess, kind: MessageKind, controlOffset: number): void {
  const control = config.read(controlOffset, 2);
  if (control === notThere || (control & enableBits[kind]) === 0) return;
  config.write(controlOffset, 2, control & ~enableBits[kind]);
}
