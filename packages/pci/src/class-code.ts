// PCI Code and ID Assignment 1.11 §1 (class codes).

interface BaseClass {
  readonly name: string;
  readonly subclasses: Readonly<Record<number, string>>;
}

const baseClasses: Readonly<Record<number, BaseClass>> = {
  0x00: { name: 'Unclassified device', subclasses: { 0x01: 'VGA compatible unclassified device' } },
  0x01: {
    name: 'Mass storage controller',
    subclasses: {
      0x00: 'SCSI controller',
      0x01: 'IDE controller',
      0x02: 'Floppy controller',
      0x04: 'RAID controller',
      0x05: 'ATA controller',
      0x06: 'SATA controller',
      0x07: 'Serial attached SCSI controller',
      0x08: 'NVM controller',
      0x09: 'UFS controller',
    },
  },
  0x02: {
    name: 'Network controller',
    subclasses: {
      0x00: 'Ethernet controller',
      0x01: 'Token ring controller',
      0x02: 'FDDI controller',
      0x03: 'ATM controller',
      0x04: 'ISDN controller',
      0x07: 'InfiniBand controller',
      0x08: 'Fabric controller',
    },
  },
  0x03: {
    name: 'Display controller',
    subclasses: { 0x00: 'VGA compatible controller', 0x01: 'XGA controller', 0x02: '3D controller' },
  },
  0x04: {
    name: 'Multimedia controller',
    subclasses: { 0x00: 'Video device', 0x01: 'Audio device', 0x02: 'Telephony device', 0x03: 'HD audio controller' },
  },
  0x05: { name: 'Memory controller', subclasses: { 0x00: 'RAM', 0x01: 'Flash memory', 0x02: 'CXL memory' } },
  0x06: {
    name: 'Bridge',
    subclasses: {
      0x00: 'Host bridge',
      0x01: 'ISA bridge',
      0x04: 'PCI bridge',
      0x07: 'CardBus bridge',
      0x09: 'Semi-transparent PCI bridge',
      0x0a: 'InfiniBand to PCI bridge',
    },
  },
  0x07: {
    name: 'Communication controller',
    subclasses: {
      0x00: 'Serial controller',
      0x01: 'Parallel controller',
      0x02: 'Multiport serial controller',
      0x03: 'Modem',
    },
  },
  0x08: {
    name: 'System peripheral',
    subclasses: {
      0x00: 'Interrupt controller',
      0x01: 'DMA controller',
      0x02: 'Timer',
      0x03: 'Real time clock',
      0x04: 'PCI hot-plug controller',
      0x05: 'SD host controller',
      0x06: 'IOMMU',
      0x07: 'Root complex event collector',
    },
  },
  0x09: { name: 'Input device', subclasses: { 0x00: 'Keyboard controller', 0x02: 'Mouse controller' } },
  0x0a: { name: 'Docking station', subclasses: {} },
  0x0b: { name: 'Processor', subclasses: { 0x40: 'Co-processor' } },
  0x0c: {
    name: 'Serial bus controller',
    subclasses: {
      0x00: 'FireWire controller',
      0x03: 'USB controller',
      0x04: 'Fibre Channel controller',
      0x05: 'SMBus controller',
      0x06: 'InfiniBand controller',
      0x07: 'IPMI interface',
      0x0a: 'I3C controller',
    },
  },
  0x0d: {
    name: 'Wireless controller',
    subclasses: { 0x11: 'Bluetooth controller', 0x20: '802.11a controller', 0x21: '802.11b controller' },
  },
  0x0e: { name: 'Intelligent I/O controller', subclasses: {} },
  0x0f: { name: 'Satellite communication controller', subclasses: {} },
  0x10: { name: 'Encryption controller', subclasses: {} },
  0x11: { name: 'Signal processing controller', subclasses: {} },
  0x12: { name: 'Processing accelerator', subclasses: {} },
  0x13: { name: 'Non-essential instrumentation', subclasses: {} },
  0x40: { name: 'Co-processor', subclasses: {} },
  0xff: { name: 'Unassigned class', subclasses: {} },
};

/**
 * Name of a class.
 *
 * @param classCode 24 bits as at config offset 09h: base class, subclass, programming interface
 */
export function className(classCode: number): string {
  const base = (classCode >>> 16) & 0xff;
  const subclass = (classCode >>> 8) & 0xff;
  const known = baseClasses[base];
  if (known === undefined) return `Class 0x${base.toString(16).padStart(2, '0')}`;
  return known.subclasses[subclass] ?? known.name;
}
