import { PciError } from '../errors.js';
import { allOnes, readLittleEndian } from './access.js';
import { type HeaderRegisterName, headerBytes, headerType0 } from './header-type-0.js';

/** What a host hands out: 64 bytes without privilege, 256 of PCI, 4096 of PCI-X 2.0 and PCI Express. */
const configLengths: readonly number[] = [64, 256, 4096];

/** Value of one register of the header. */
export function headerValue(config: Uint8Array, name: HeaderRegisterName): number {
  const { offset, width } = headerType0[name];
  return readLittleEndian(config, offset, width);
}

/**
 * The border: after this the image has a whole header of type 0.
 *
 * @throws {@link PciError} `PCI_CONFIG_LENGTH`, `PCI_FUNCTION_ABSENT` or `PCI_HEADER_TYPE_UNSUPPORTED`
 */
export function checkHeader(config: Uint8Array): void {
  if (!configLengths.includes(config.length)) {
    throw new PciError('PCI_CONFIG_LENGTH', {
      problem: `A configuration space of ${config.length} bytes: must be 64, 256 or 4096.`,
      nextStep: 'Read the whole file again; a short read is not an image.',
    });
  }
  if (config.subarray(0, headerBytes).every((byte) => byte === allOnes(1))) {
    throw new PciError('PCI_FUNCTION_ABSENT', {
      problem: 'The function answers all ones: it was removed, lost its link or sleeps without power (D3cold).',
      nextStep: 'Wake or rescan it on the host and try again.',
    });
  }
  const layout = headerValue(config, 'headerType') & 0x7f;
  if (layout !== 0) {
    const kind = layout === 1 ? 'a PCI bridge' : layout === 2 ? 'a CardBus bridge' : 'not defined by PCI';
    throw new PciError('PCI_HEADER_TYPE_UNSUPPORTED', {
      problem: `Header type ${layout} is ${kind}: only endpoints, type 0, can be decoded and passed through.`,
      nextStep: layout === 1 ? 'Choose a function behind the bridge.' : 'Choose another function.',
    });
  }
}
