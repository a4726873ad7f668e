import type { ConcealedCapability } from './capability.js';

// PCI Code and ID Assignment 1.11 §2 (ids); sizes from the specification of each, the head word where it varies.

const bridges = 'it belongs to bridges and slots, which stay with the host';
const reset = 'a reset behind the hypervisor’s back would lose its interrupt set-up';
const bus = 'it sets the device’s conduct on a bus that the host owns';
const backDoor = 'it opens a second way to registers that are mediated';

/** Known by name and not shown: the bytes read 0 and nothing is written. */
export const concealedCapabilities: readonly ConcealedCapability[] = [
  { id: 0x00, name: 'Null', size: 4, reason: 'it has no registers' },
  { id: 0x02, name: 'AGP', size: 0x30, reason: bus },
  { id: 0x04, name: 'Slot Identification', size: 4, reason: bridges },
  { id: 0x06, name: 'CompactPCI Hot Swap', size: 4, reason: bridges },
  { id: 0x07, name: 'PCI-X', size: 0x18, reason: bus },
  { id: 0x08, name: 'HyperTransport', size: 4, reason: bus },
  { id: 0x0a, name: 'Debug Port', size: 4, reason: backDoor },
  { id: 0x0b, name: 'CompactPCI Resource Control', size: 4, reason: bridges },
  { id: 0x0c, name: 'Hot-Plug', size: 8, reason: bridges },
  { id: 0x0d, name: 'Bridge Subsystem ID', size: 8, reason: bridges },
  { id: 0x0e, name: 'AGP 8x', size: 0x30, reason: bus },
  { id: 0x0f, name: 'Secure Device', size: 4, reason: 'its conduct under a hypervisor is not specified' },
  { id: 0x12, name: 'SATA Index/Data', size: 8, reason: backDoor },
  { id: 0x13, name: 'Advanced Features', size: 8, reason: reset },
  { id: 0x14, name: 'Enhanced Allocation', size: 4, reason: 'its fixed addresses are the host’s' },
  { id: 0x15, name: 'Flattening Portal Bridge', size: 4, reason: bridges },
];
