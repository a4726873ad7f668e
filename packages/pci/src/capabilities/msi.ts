import { readLittleEndian } from '../config-space/access.js';
import type { Register, RegisterSet } from '../config-space/register.js';
import type { Capability } from './capability.js';

// PCI Local Bus 3.0 §6.8.1; PCI Express Base 5.0 §7.7.1.
//
//          32 bits        64 bits
//   +0     id, next, message control
//   +4     address        address
//   +8     data (2)       address high     behind the data: two bytes of extended data (control bit 9) or nothing
//   +c     mask           data (2)         mask and pending: only with per-vector masking (control bit 8)
//   +10    pending        mask
//   +14                   pending

const controlOffset = 2;
const addressOffset = 4;
const addressHighOffset = 8;
const is64BitCapable = 0x0080;
const isMaskCapable = 0x0100;

const control = (bytes: Uint8Array): number => readLittleEndian(bytes, controlOffset, 2);
const is64Bit = (bytes: Uint8Array): boolean => (control(bytes) & is64BitCapable) !== 0;
const isMaskable = (bytes: Uint8Array): boolean => (control(bytes) & isMaskCapable) !== 0;
const dataOffset = (bytes: Uint8Array): number => (is64Bit(bytes) ? 12 : 8);

const captured = 'The message goes to the hypervisor, which programs the device with its own.';
const unmaskable = 'Masking is not offered; the host masks and unmasks in the device.';

const messageControl: Register = {
  offset: controlOffset,
  width: 2,
  reset: 0,
  ro: 0x038e,
  rsvdp: 0xf800,
  fields: {
    enable: [0, 1],
    multipleMessageCapable: [1, 3],
    multipleMessageEnable: [4, 3],
    is64BitCapable: [7, 1],
    perVectorMasking: [8, 1],
    extendedMessageDataCapable: [9, 1],
    extendedMessageDataEnable: [10, 1],
  },
  guest: {
    virtual: 0xffff,
    latch: is64BitCapable,
    shadowWrite: 0x0071,
    notify: 0x0001,
    why: 'One vector without masking is offered; the device is enabled only after the message is bound.',
  },
};

const messageAddress: Register = {
  offset: addressOffset,
  width: 4,
  reset: 0,
  rsvdp: 0x0000_0003,
  guest: { virtual: 0xffff_ffff, shadowWrite: 0xffff_fffc, notify: 0xffff_fffc, why: captured },
};

const messageAddressHigh: Register = {
  offset: addressHighOffset,
  width: 4,
  reset: 0,
  guest: { virtual: 0xffff_ffff, shadowWrite: 0xffff_ffff, notify: 0xffff_ffff, why: captured },
};

const messageData = (offset: number): Register => ({
  offset,
  width: 2,
  reset: 0,
  guest: { virtual: 0xffff, shadowWrite: 0xffff, notify: 0xffff, why: captured },
});

const hiddenWord = (offset: number): Register => ({
  offset,
  width: 4,
  reset: 0,
  guest: { virtual: 0xffff_ffff, why: unmaskable },
});

function registers(bytes: Uint8Array): RegisterSet {
  const data = dataOffset(bytes);
  return {
    messageControl,
    messageAddress,
    ...(is64Bit(bytes) ? { messageAddressHigh } : {}),
    messageData: messageData(data),
    extendedMessageData: { ...hiddenWord(data + 2), width: 2, guest: { virtual: 0xffff, why: captured } },
    ...(isMaskable(bytes) ? { maskBits: hiddenWord(data + 4), pendingBits: hiddenWord(data + 8) } : {}),
  };
}

export const msi = {
  id: 0x05,
  name: 'MSI',
  size: (bytes) => dataOffset(bytes) + (isMaskable(bytes) ? 12 : 4),
  registers,
  geometry: ({ offset, bytes }) => ({
    msi: {
      offset,
      is64Bit: is64Bit(bytes),
      vectorCount: 1,
      controlOffset: offset + controlOffset,
      addressOffset: offset + addressOffset,
      ...(is64Bit(bytes) ? { addressHighOffset: offset + addressHighOffset } : {}),
      dataOffset: offset + dataOffset(bytes),
    },
  }),
} as const satisfies Capability;
