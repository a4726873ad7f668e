import { readLittleEndian } from '../config-space/access.js';
import { guestConfigBytes } from '../config-space/register-table.js';
import type { FunctionImage } from '../resource.js';
import { buildGuestView } from './build.js';
import type { GuestView, GuestViewOptions } from './guest-view.js';

/** A guest's view as it is at attach, before the guest has written anything. */
export interface GuestViewPreview {
  readonly view: GuestView;
  /** What the guest reads: 256 bytes, or as many as the image has. */
  readonly guest: Uint8Array;
}

/**
 * Shows what a guest would find of a function, without a guest.
 *
 * @throws {@link PciError} as {@link buildGuestView}
 */
export function previewGuestView(image: FunctionImage, options: GuestViewOptions = {}): GuestViewPreview {
  const view = buildGuestView(image, options);
  const guest = new Uint8Array(Math.min(image.config.length, guestConfigBytes));
  const bytes = new DataView(guest.buffer);
  for (let offset = 0; offset < guest.length; offset += 4) {
    const { virtual = 0, reset = 0 } = view.words[offset >>> 2]?.rule ?? {};
    const hardware = readLittleEndian(image.config, offset, 4);
    bytes.setUint32(offset, (reset & virtual) | (hardware & ~virtual), true);
  }
  return { view, guest };
}
