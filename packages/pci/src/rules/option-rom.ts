import { romIndex } from '../bars/bar.js';
import type { FunctionRule } from './rule.js';

/** SCSI, RAID and SAS controllers: their firmware drives hardware that the guest's BIOS does not set up. */
const storageClasses: readonly number[] = [0x0100, 0x0104, 0x0107];

export const optionRom: FunctionRule = {
  scope: 'function',
  id: 'option-rom',
  title: 'The firmware of the controller runs in the guest',
  cause: 'The card has an option ROM, and the guest’s BIOS runs it.',
  consequence: 'Some host bus adapters hang there, and the guest does not start.',
  remedy: 'If the guest stops in its BIOS, hide the ROM; a guest that boots from other disks does not need it.',
  check: ({ classCode, resources, address }) => {
    const rom = resources.find(({ index }) => index === romIndex);
    if (rom === undefined || !storageClasses.includes(classCode >>> 8)) return [];
    return [
      {
        effect: 'none',
        message: `its option ROM of ${rom.sizeBytes >> 10n} KiB runs when the guest starts`,
        evidence: [`/sys/bus/pci/devices/${address}/rom`],
        fix: null,
      },
    ];
  },
};
