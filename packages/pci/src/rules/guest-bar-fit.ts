import { fitDevices } from '../placement/guest-bars.js';
import type { GuestRule } from './rule.js';
import { devicesOf } from './guest-devices.js';

export const guestBarFit: GuestRule = {
  scope: 'guest',
  id: 'guest-bar-fit',
  title: 'A guest’s devices do not fit below 4 GiB',
  cause: 'The hole for registers below 4 GiB is too small for all BARs of the guest’s devices together.',
  consequence: 'Some get no place and do not work; BARs of 64 bits go above 4 GiB, where older guests do not look.',
  remedy: 'Set mmio_hole= (256 to 3840 MiB) in the configuration.',
  check: (guest, inventory) => {
    const devices = devicesOf(guest, inventory);
    if (devices.length === 0 || guest.memoryMib === null || guest.type !== 'hvm') return [];
    const memory = { memoryMib: guest.memoryMib, mmioHoleMib: guest.mmioHoleMib };
    const { placement, neededHoleMib } = fitDevices(devices, memory);
    const lost = placement.bars.filter(({ address }) => address === null);
    const high = placement.bars.filter(({ address }) => address !== null && address >= 1n << 32n);
    if (lost.length === 0 && high.length === 0) return [];
    return [
      {
        effect: 'none',
        severity: lost.length > 0 ? 'error' : 'info',
        message: `${lost.length} BARs have no place, ${high.length} go above 4 GiB (memory=${guest.memoryMib})`,
        evidence: [guest.path, `hole from 0x${placement.holeStart.toString(16)}`],
        fix: neededHoleMib === null ? null : `mmio_hole=${neededHoleMib}`,
      },
    ];
  },
};
