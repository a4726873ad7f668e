import { readLittleEndian } from '../config-space/access.js';
import { type BitField, type Register, type RegisterSet, extractField } from '../config-space/register.js';
import { type Capability, type Circumstances, plainCircumstances } from './capability.js';

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
const multipleMessageCapable: BitField = [1, 3];
const multipleMessageEnable: BitField = [4, 3];
/** §6.8.1.3: the field holds the binary logarithm; 6 and 7 are reserved. */
const mostVectorsLog2 = 5;

const control = (bytes: Uint8Array): number => readLittleEndian(bytes, controlOffset, 2);
const is64Bit = (bytes: Uint8Array): boolean => (control(bytes) & is64BitCapable) !== 0;
const isMaskable = (bytes: Uint8Array): boolean => (control(bytes) & isMaskCapable) !== 0;
const dataOffset = (bytes: Uint8Array): number => (is64Bit(bytes) ? 12 : 8);
const maskOffset = (bytes: Uint8Array): number => dataOffset(bytes) + 4;

/** §6.8.1.3: a power of two; 6 and 7 are reserved. */
const vectors = ['1', '2', '4', '8', '16', '32'] as const;

const captured = 'The message goes to the hypervisor, which programs the device with its own.';
const masked = 'The guest masks in its own register; the host masks and unmasks in the device.';

/** What the function has, as far as the host can take it. */
function vectorsLog2(bytes: Uint8Array, { msiVectorLimit }: Circumstances): number {
  const capable = Math.min(extractField(control(bytes), multipleMessageCapable), mostVectorsLog2);
  return Math.min(capable, Math.floor(Math.log2(Math.max(1, msiVectorLimit))));
}

const messageControl = (offeredLog2: number): Register => ({
  offset: controlOffset,
  width: 2,
  reset: offeredLog2 << multipleMessageCapable[0],
  ro: 0x038e,
  rsvdp: 0xf800,
  fields: {
    enable: [0, 1],
    multipleMessageCapable: [multipleMessageCapable[0], multipleMessageCapable[1], vectors],
    multipleMessageEnable: [multipleMessageEnable[0], multipleMessageEnable[1], vectors],
    is64BitCapable: [7, 1],
    perVectorMasking: [8, 1],
    extendedMessageDataCapable: [9, 1],
    extendedMessageDataEnable: [10, 1],
  },
  guest: {
    virtual: 0xffff,
    latch: is64BitCapable | isMaskCapable,
    shadowWrite: 0x0071,
    notify: 0x0071,
    why: 'The device is enabled only after the messages are bound, with as many vectors as are.',
  },
});

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

const extendedMessageData = (offset: number): Register => ({
  offset,
  width: 2,
  reset: 0,
  guest: { virtual: 0xffff, why: captured },
});

const maskBits = (offset: number, vectorCount: number): Register => {
  const vectors = (0xffff_ffff >>> (32 - vectorCount)) >>> 0;
  return {
    offset,
    width: 4,
    reset: 0,
    guest: { virtual: 0xffff_ffff, shadowWrite: vectors, notify: vectors, why: masked },
  };
};

const pendingBits = (offset: number): Register => ({
  offset,
  width: 4,
  reset: 0,
  ro: 0xffff_ffff,
  guest: { why: 'The device knows what waits behind a mask.' },
});

function registers(bytes: Uint8Array, circumstances: Circumstances = plainCircumstances): RegisterSet {
  const data = dataOffset(bytes);
  const log2 = vectorsLog2(bytes, circumstances);
  return {
    messageControl: messageControl(log2),
    messageAddress,
    ...(is64Bit(bytes) ? { messageAddressHigh } : {}),
    messageData: messageData(data),
    extendedMessageData: extendedMessageData(data + 2),
    ...(isMaskable(bytes)
      ? { maskBits: maskBits(maskOffset(bytes), 1 << log2), pendingBits: pendingBits(maskOffset(bytes) + 4) }
      : {}),
  };
}

export const msi = {
  id: 0x05,
  name: 'MSI',
  size: (bytes) => dataOffset(bytes) + (isMaskable(bytes) ? 12 : 4),
  meaning: 'The guest programs vectors of its own; the hypervisor programs the device, which no guest reaches.',
  summary: (bytes) =>
    [
      `${1 << ((control(bytes) >>> 1) & 7)} vectors`.replace(/^1 vectors/, '1 vector'),
      is64Bit(bytes) ? '64 bits' : '32 bits',
      ...(isMaskable(bytes) ? ['maskable'] : []),
      (control(bytes) & 1) === 0 ? 'off' : 'on',
    ].join(', '),
  registers,
  geometry: ({ offset, bytes, circumstances }) => ({
    msi: {
      offset,
      is64Bit: is64Bit(bytes),
      vectorCount: 1 << vectorsLog2(bytes, circumstances),
      controlOffset: offset + controlOffset,
      addressOffset: offset + addressOffset,
      ...(is64Bit(bytes) ? { addressHighOffset: offset + addressHighOffset } : {}),
      dataOffset: offset + dataOffset(bytes),
      ...(isMaskable(bytes) ? { maskOffset: offset + maskOffset(bytes) } : {}),
    },
  }),
} as const satisfies Capability;
