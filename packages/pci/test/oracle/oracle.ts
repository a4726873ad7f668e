import type { FunctionImage, Resource } from '../../src/index.js';
import { BitModel, Kind } from './bits.js';
import { type Place, choose, describe } from './capabilities.js';

export interface OracleOptions {
  readonly multifunction?: boolean;
  readonly functionReset?: boolean;
  readonly msiVectorLimit?: number;
  readonly permissive?: boolean;
}

/** What the guest gets, or why it gets nothing. */
export type Judgement =
  | { readonly refused: true }
  | { readonly refused: false; readonly model: BitModel; readonly visible: readonly Place[] };

/** PCI Local Bus 3.0 §6.1: a header of 64 bytes, in an image that a host can hand out. */
export function judge(image: FunctionImage, options: OracleOptions = {}): Judgement {
  const { config } = image;
  const isAbsent = config.subarray(0, 64).every((byte) => byte === 0xff);
  const isEndpoint = (config[0x0e] ?? 0) % 128 === 0;
  const isWhole = config.length === 64 || config.length === 256 || config.length === 4096;
  const hasIds = image.vendorId < 0xffff;
  if (!isWhole || isAbsent || !isEndpoint || !hasIds || !image.resources.every(isPlaceable)) return { refused: true };

  const model = new BitModel();
  const surroundings = {
    resources: image.resources,
    functionReset: options.functionReset === true,
    msiVectorLimit: options.msiVectorLimit ?? 1,
  };
  const { visible, hidden } = choose(config, surroundings);
  header(model, image, visible, options.multifunction === true);
  for (const resource of image.resources) baseAddress(model, resource);
  visible.forEach((place, index) => {
    model.ours(place.at, 1, place.id);
    model.ours(place.at + 1, 1, visible[index + 1]?.at ?? 0);
    describe(model, config, place, surroundings);
  });
  conceal(model, visible, hidden);
  if (options.permissive === true) openUndescribed(model);
  return { refused: false, model, visible };
}

function header(model: BitModel, image: FunctionImage, visible: readonly Place[], multifunction: boolean): void {
  model.describe(0, 64);
  model.ours(0x00, 2, image.vendorId);
  model.ours(0x02, 2, image.deviceId);
  // C1, C2: decode, parity, SERR, back-to-back, INTx disable are the guest's; of the rest bus master alone passes.
  for (const bit of [0, 1, 6, 8, 9, 10]) model.setBit(0x04, bit, Kind.oursWritable, 0);
  model.setBit(0x04, 2, Kind.deviceWritable);
  // C7: error bits that a 1 clears.
  for (const bit of [8, 11, 12, 13, 14, 15]) model.setBit(0x06, bit, Kind.deviceZeroed);
  model.setBit(0x06, 4, Kind.oursFixed, visible.length > 0 ? 1 : 0);
  model.ours(0x0c, 1, 0, 0xff);
  model.ours(0x0d, 1, 0, 0xff);
  model.ours(0x0e, 1, multifunction ? 0x80 : 0);
  for (let offset = 0x10; offset < 0x28; offset += 4) model.ours(offset, 4, 0);
  model.ours(0x30, 4, 0);
  model.ours(0x34, 1, visible[0]?.at ?? 0);
  model.ours(0x3c, 1, 0, 0xff);
  model.ours(0x3d, 1, pinOf(image));
}

/** C15: a virtual function, known by its id of all ones, has no pin; nor has one without a line on the host. */
function pinOf({ config, irq }: FunctionImage): number {
  const pin = config[0x3d] ?? 0;
  const isVirtual = config[0] === 0xff && config[1] === 0xff;
  return isVirtual || irq === 0 || pin > 4 ? 0 : pin;
}

/** C8. A guest finds memory in whole pages; addresses start as 0 whatever the host's are. */
function baseAddress(model: BitModel, { index, kind, start, sizeBytes, is64Bit, prefetchable }: Resource): void {
  if (sizeBytes === 0n || start === 0n) return;
  const offset = index === 6 ? 0x30 : 0x10 + 4 * index;
  const smallest = kind === 'io' ? 4n : 4096n;
  const size = sizeBytes < smallest ? smallest : sizeBytes;
  const flagBits = kind === 'io' ? 2 : kind === 'rom' ? 11 : 4;
  for (let bit = 0; bit < (is64Bit ? 64 : 32); bit += 1) {
    const isAddress = bit >= flagBits && 1n << BigInt(bit) >= size;
    model.setBit(offset, bit, isAddress ? Kind.oursWritable : Kind.oursFixed, 0);
  }
  if (kind === 'io') model.setBit(offset, 0, Kind.oursFixed, 1);
  if (kind === 'rom') model.setBit(offset, 0, Kind.oursWritable, 0);
  if (kind === 'memory' && is64Bit) model.setBit(offset, 2, Kind.oursFixed, 1);
  if (kind === 'memory' && prefetchable) model.setBit(offset, 3, Kind.oursFixed, 1);
}

/** A range that a base address register can hold: a power of two, inside its address space, of its place's kind. */
function isPlaceable(
  { index, kind, start, sizeBytes, is64Bit }: Resource,
  _: number,
  all: readonly Resource[],
): boolean {
  if (sizeBytes === 0n || start === 0n) return true;
  const least = { memory: 16n, io: 4n, rom: 2048n }[kind];
  const most = { memory: is64Bit ? 1n << 63n : 1n << 31n, io: 65536n, rom: 1n << 24n }[kind];
  const end = { memory: is64Bit ? 1n << 64n : 1n << 32n, io: 65536n, rom: 1n << 32n }[kind];
  let isPower = false;
  for (let bit = 0n; bit < 64n; bit += 1n) if (sizeBytes === 1n << bit) isPower = true;
  const rightPlace = index === 6 ? kind === 'rom' : kind !== 'rom' && index >= 0 && index < 6;
  const widthPossible = !is64Bit || (kind === 'memory' && index < 5);
  const alone = all.every((other) => {
    if (other.sizeBytes === 0n || other.start === 0n) return true;
    const sameRegister = other.index === index && all.filter((one) => one.index === index).length > 1;
    return !sameRegister && !(other.is64Bit && other.index + 1 === index);
  });
  return (
    isPower &&
    sizeBytes >= least &&
    sizeBytes <= most &&
    start > 0n &&
    start + sizeBytes <= end &&
    rightPlace &&
    widthPossible &&
    alone
  );
}

/** C5, C6: what is hidden reads 0, but for bytes that also belong to something the guest has. */
function conceal(model: BitModel, visible: readonly Place[], hidden: readonly Place[]): void {
  for (const { at, sizeBytes } of hidden) {
    for (let byte = at; byte < at + sizeBytes && byte < 256; byte += 1) {
      if (!visible.some((place) => place.at <= byte && byte < place.at + place.sizeBytes)) model.ours(byte, 1, 0);
    }
  }
}

function openUndescribed(model: BitModel): void {
  for (let byte = 0x40; byte < 256; byte += 1) {
    if (model.described[byte] === 1) continue;
    for (let bit = 0; bit < 8; bit += 1) model.setBit(byte, bit, Kind.deviceWritable);
  }
}
