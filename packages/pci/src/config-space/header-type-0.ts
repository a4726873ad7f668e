import type { Register, RegisterSet } from './register.js';

// PCI Local Bus 3.0 §6.1 and §6.2, PCI Express Base 5.0 §7.5.1 (type 0 configuration space header).

/** Bytes of every header; capabilities start here. */
export const headerBytes = 64;

const deviceSays = 'The guest reads the device; a write has no meaning here.';
const identity = 'A virtual function answers all ones in hardware; the host knows the true ids.';
const scratch = 'Sets nothing in the device; kept for software that stores a value.';

/** §6.2.5.1: an address register that is not implemented is read-only 0. One that is, is in `bars/registers.ts`. */
const addressRegister = (offset: number): Register => ({
  offset,
  width: 4,
  reset: 0,
  ro: 0xffff_ffff,
  guest: {
    virtual: 0xffff_ffff,
    why: 'The host placed the BAR; the guest has its own. Without a resource it reads 0.',
  },
});

export const headerType0 = {
  vendorId: { offset: 0x00, width: 2, reset: 0, ro: 0xffff, guest: { virtual: 0xffff, why: identity } },
  deviceId: { offset: 0x02, width: 2, reset: 0, ro: 0xffff, guest: { virtual: 0xffff, why: identity } },
  command: {
    offset: 0x04,
    width: 2,
    reset: 0,
    ro: 0x0080,
    rsvdp: 0xf800,
    fields: {
      ioSpace: [0, 1],
      memorySpace: [1, 1],
      busMaster: [2, 1],
      specialCycles: [3, 1],
      memoryWriteInvalidate: [4, 1],
      vgaPaletteSnoop: [5, 1],
      parityErrorResponse: [6, 1],
      systemErrorEnable: [8, 1],
      fastBackToBack: [9, 1],
      interruptDisable: [10, 1],
    },
    guest: {
      virtual: 0x0743,
      shadowWrite: 0x0743,
      notify: 0x0403,
      // Interrupt disable (bit 10) is not here: the model forwards it, clearing only while an interrupt is bound.
      hardwareWrite: 0x0004,
      why: 'The device keeps decoding while the guest maps and unmaps (XSA-126); error reporting is the host’s.',
    },
  },
  status: {
    offset: 0x06,
    width: 2,
    reset: 0,
    ro: 0x06b9,
    rw1c: 0xf900,
    rsvdz: 0x0046,
    fields: {
      immediateReadiness: [0, 1],
      interruptStatus: [3, 1],
      capabilitiesList: [4, 1],
      capable66Mhz: [5, 1],
      fastBackToBackCapable: [7, 1],
      masterDataParityError: [8, 1],
      deviceSelectTiming: [9, 2],
      signaledTargetAbort: [11, 1],
      receivedTargetAbort: [12, 1],
      receivedMasterAbort: [13, 1],
      signaledSystemError: [14, 1],
      detectedParityError: [15, 1],
    },
    guest: {
      virtual: 0x0010,
      why: 'The capability list is ours; error bits are the host’s evidence, so not cleared.',
    },
  },
  revisionId: { offset: 0x08, width: 1, reset: 0, ro: 0xff, guest: { why: deviceSays } },
  programmingInterface: { offset: 0x09, width: 1, reset: 0, ro: 0xff, guest: { why: deviceSays } },
  classCode: {
    offset: 0x0a,
    width: 2,
    reset: 0,
    ro: 0xffff,
    fields: { subclass: [0, 8], baseClass: [8, 8] },
    guest: { why: deviceSays },
  },
  cacheLineSize: { offset: 0x0c, width: 1, reset: 0, guest: { virtual: 0xff, shadowWrite: 0xff, why: scratch } },
  latencyTimer: { offset: 0x0d, width: 1, reset: 0, guest: { virtual: 0xff, shadowWrite: 0xff, why: scratch } },
  headerType: {
    offset: 0x0e,
    width: 1,
    reset: 0,
    ro: 0xff,
    fields: { layout: [0, 7], multifunction: [7, 1] },
    guest: { virtual: 0xff, why: 'Whether other functions share the slot is decided by where the guest has it.' },
  },
  builtInSelfTest: {
    offset: 0x0f,
    width: 1,
    reset: 0,
    ro: 0xff,
    guest: { why: 'A self test disturbs the device and may hold the bus: a guest never starts one.' },
  },
  bar0: addressRegister(0x10),
  bar1: addressRegister(0x14),
  bar2: addressRegister(0x18),
  bar3: addressRegister(0x1c),
  bar4: addressRegister(0x20),
  bar5: addressRegister(0x24),
  cardbusCisPointer: { offset: 0x28, width: 4, reset: 0, ro: 0xffff_ffff, guest: { why: deviceSays } },
  subsystemVendorId: { offset: 0x2c, width: 2, reset: 0, ro: 0xffff, guest: { why: deviceSays } },
  subsystemDeviceId: { offset: 0x2e, width: 2, reset: 0, ro: 0xffff, guest: { why: deviceSays } },
  expansionRom: addressRegister(0x30),
  capabilitiesPointer: {
    offset: 0x34,
    width: 1,
    reset: 0,
    ro: 0xff,
    guest: { virtual: 0xff, why: 'The list is rebuilt over the capabilities a guest may see.' },
  },
  interruptLine: {
    offset: 0x3c,
    width: 1,
    reset: 0,
    guest: { virtual: 0xff, shadowWrite: 0xff, why: 'A note of the guest’s firmware to its operating system.' },
  },
  interruptPin: {
    offset: 0x3d,
    width: 1,
    reset: 0,
    ro: 0xff,
    guest: { virtual: 0xff, why: 'A pin without a host interrupt behind it would wait for ever, so it reads 0.' },
  },
  minimumGrant: { offset: 0x3e, width: 1, reset: 0, ro: 0xff, guest: { why: deviceSays } },
  maximumLatency: { offset: 0x3f, width: 1, reset: 0, ro: 0xff, guest: { why: deviceSays } },
} as const satisfies RegisterSet;

export type HeaderRegisterName = keyof typeof headerType0;

/** The six base address registers, in order. */
export const barRegisterNames = ['bar0', 'bar1', 'bar2', 'bar3', 'bar4', 'bar5'] as const;
