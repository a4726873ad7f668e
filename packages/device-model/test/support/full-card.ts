import type { FunctionImage } from '@xenpt/pci';
import { networkCard, type CardOptions } from './network-card.js';
import { makeRig, placeAll, type Rig, type RigOptions } from './rig.js';

/** Where the capabilities of the card stand that the plain one does not have. */
export const fullAt = { express: 0x40, vendor: 0x80, features: 0x98, unknown: 0xf0 } as const;

/** The 82574L of the other tests and besides: PCI Express with a reset, a vendor's registers, AF, an unknown one. */
export function fullCard(options: CardOptions = {}): FunctionImage {
  const image = networkCard({ vpd: true, command: 0x0003, ...options });
  const { config } = image;
  const view = new DataView(config.buffer);
  const first = view.getUint8(0x34);
  const link = (at: number, id: number, next: number): void => {
    view.setUint8(at, id);
    view.setUint8(at + 1, next);
  };
  view.setUint8(0x34, fullAt.express);
  link(fullAt.express, 0x10, fullAt.vendor);
  view.setUint16(fullAt.express + 2, 0x0002, true);
  view.setUint32(fullAt.express + 4, 0x1000_8025, true);
  view.setUint16(fullAt.express + 8, 0x2037, true);
  view.setUint16(fullAt.express + 0x0a, 0x0009, true);
  view.setUint32(fullAt.express + 0x0c, 0x0003_0413, true);
  link(fullAt.vendor, 0x09, fullAt.features);
  view.setUint8(fullAt.vendor + 2, 0x10);
  link(fullAt.features, 0x13, fullAt.unknown);
  view.setUint8(fullAt.features + 2, 6);
  view.setUint8(fullAt.features + 3, 3);
  link(fullAt.unknown, 0x7a, first);
  return image;
}

/** Attached, BARs placed, decode and bus master on. */
export function runningRig(image: FunctionImage = fullCard(), options: RigOptions = {}): Rig {
  const rig = makeRig({ images: [image], ...options });
  rig.attach();
  placeAll(rig.guest());
  return rig;
}

/** The bytes of the device's configuration that changed hands since `since` writes. */
export function bytesWritten({ device }: Rig, since = 0): Set<number> {
  return new Set(
    device.writes
      .slice(since)
      .flatMap(({ offset, width }) => Array.from({ length: width }, (_, index) => offset + index)),
  );
}

/** Accesses that a bus carries. */
export const everyAccess: readonly (readonly [offset: number, width: 1 | 2 | 4])[] = ([1, 2, 4] as const).flatMap(
  (width) => Array.from({ length: 256 / width }, (_, index) => [index * width, width] as const),
);
