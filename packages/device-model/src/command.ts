import type { ConfigAccess } from '@xenpt/pci';
import { intxDisableBit } from './intx.js';
import type { Ledger } from './ledger.js';

/** COMMAND and its bits, PCI Local Bus Specification 3.0, 6.2.2. */
const commandOffset = 4;
const busMasterBit = 0x4;
export const ioDecodeBit = 0x1;
export const memoryDecodeBit = 0x2;

const notThere = 0xffff;

/**
 * Hardware COMMAND for the time a guest has the function: the decode bits its BARs need stay on whatever the guest does
 * (XSA-120; Xen reaches the MSI-X table through memory decode), INTx only while bound, bus master off until the guest
 * asks.
 */
export function prepareCommand(config: ConfigAccess, ledger: Ledger, decodeBits: number, intxBound: boolean): void {
  const before = config.read(commandOffset, 2);
  if (before === notThere) throw new Error('the function does not answer: COMMAND reads 0xffff');
  ledger.commandBits = decodeBits & ~before;
  ledger.commandTouched = true;
  const others = before & ~(busMasterBit | intxDisableBit);
  config.write(commandOffset, 2, others | decodeBits | (intxBound ? 0 : intxDisableBit));
}

/** Bus master off, INTx off, and the decode bits that were off before us. */
export function restoreCommand(config: ConfigAccess, ledger: Ledger): void {
  if (!ledger.commandTouched) return;
  const before = config.read(commandOffset, 2);
  if (before !== notThere) {
    config.write(commandOffset, 2, (before & ~(busMasterBit | ledger.commandBits)) | intxDisableBit);
  }
  ledger.commandTouched = false;
  ledger.commandBits = 0;
}
