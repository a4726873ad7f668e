import { PciError } from '../errors.js';

// PCI Firmware 3.0 §5.1, PCI Local Bus 3.0 §6.3.1. A ROM is a row of images, each on 512 bytes:
//
//   image   +0 55 aa │ … │ +18 pointer to the data structure (16 bits) │ … code
//   data    +0 'PCIR' │ +4 vendor │ +6 device │ +a length (16) │ +10 length of the image in 512 bytes (16)
//           +14 code type │ +15 indicator: bit 7 the last image

/** PCI Local Bus 3.0 §6.2.5.2: a ROM decodes at most 16 MiB. */
export const maxRomBytes = 1 << 24;

const blockBytes = 512;
const dataStructureBytes = 0x16;
const signature = 0xaa55;
const dataSignature = 0x5249_4350;
const lastImageBit = 0x80;

export interface RomImage {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly vendorId: number;
  readonly deviceId: number;
  /** 0 PC BIOS, 1 Open Firmware, 3 EFI. */
  readonly codeType: number;
}

/**
 * The images of an expansion ROM. Bytes of a ROM come from whoever made the card or the file: nothing in them is run
 * or believed, and the walk ends after the last byte at the latest.
 *
 * @throws {@link PciError} `PCI_ROM_INVALID`
 */
export function parseExpansionRom(bytes: Uint8Array): RomImage[] {
  if (bytes.length === 0 || bytes.length > maxRomBytes) {
    throw romError(`it has ${bytes.length} bytes; a ROM has 1 to ${maxRomBytes}`);
  }
  const images: RomImage[] = [];
  let offset = 0;
  for (;;) {
    const { image, isLast } = parseImage(bytes, offset);
    images.push(image);
    if (isLast) return images;
    offset += image.sizeBytes;
  }
}

function parseImage(bytes: Uint8Array, offset: number): { readonly image: RomImage; readonly isLast: boolean } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const where = `image at 0x${offset.toString(16)}`;
  if (offset + 0x1a > bytes.length) throw romError(`its ${where} is behind its end, and none before was the last`);
  const found = view.getUint16(offset, true);
  if (found !== signature) throw romError(`its ${where} starts with 0x${found.toString(16)}, not 0xaa55`);
  const data = offset + view.getUint16(offset + 0x18, true);
  if (data + dataStructureBytes > bytes.length || data < offset + 0x1a) {
    throw romError(`the data structure of its ${where} would be at 0x${data.toString(16)}`);
  }
  if (view.getUint32(data, true) !== dataSignature) throw romError(`its ${where} has no data structure "PCIR"`);
  const sizeBytes = view.getUint16(data + 0x10, true) * blockBytes;
  if (sizeBytes === 0) throw romError(`its ${where} has no length`);
  if (offset + sizeBytes > bytes.length) {
    throw romError(`its ${where} ends at byte ${offset + sizeBytes}; there are ${bytes.length}`);
  }
  const image = {
    offset,
    sizeBytes,
    vendorId: view.getUint16(data + 4, true),
    deviceId: view.getUint16(data + 6, true),
    codeType: view.getUint8(data + 0x14),
  };
  return { image, isLast: (view.getUint8(data + 0x15) & lastImageBit) !== 0 };
}

function romError(reason: string): PciError {
  return new PciError('PCI_ROM_INVALID', {
    problem: `This is no expansion ROM: ${reason}.`,
    nextStep: 'Take the ROM from the vendor’s file or from the device’s `rom` in sysfs; an update tool is none.',
  });
}
