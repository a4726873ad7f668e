import type { Resource } from '../../src/index.js';
import { type BitModel, Kind, bitOf } from './bits.js';

/** What the list is judged with. */
export interface Surroundings {
  readonly resources: readonly Resource[];
  readonly functionReset: boolean;
  readonly msiVectorLimit: number;
}

/** One place of the list. */
export interface Place {
  readonly id: number;
  readonly at: number;
  readonly sizeBytes: number;
}

export function u16(bytes: Uint8Array, at: number): number {
  return at + 1 < Math.min(bytes.length, 256) ? (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0) : 0xffff;
}

export function u32(bytes: Uint8Array, at: number): number {
  return at + 3 < Math.min(bytes.length, 256) ? u16(bytes, at) + 65536 * u16(bytes, at + 2) : 0xffff_ffff;
}

const id = { pm: 1, vpd: 3, msi: 5, vendor: 9, express: 0x10, msix: 0x11, af: 0x13 };
const shown = new Set<number>(Object.values(id));
/** May stand in the list more than once. */
const many = new Set<number>([id.vendor]);

/** PCI Local Bus 3.0 §6.7: at most 48, no place twice, none inside the header, none where nothing answers. */
export function walk(config: Uint8Array): { id: number; at: number }[] {
  const places: { id: number; at: number }[] = [];
  if (bitOf(u16(config, 6), 4) === 0) return places;
  let at = (config[0x34] ?? 0) & 0xfc;
  while (at !== 0) {
    const seen = places.some((place) => place.at === at);
    if (at < 0x40 || at >= config.length || seen || places.length === 48 || config[at] === 0xff) break;
    places.push({ id: config[at] ?? 0, at });
    at = (config[at + 1] ?? 0xff) & 0xfc;
  }
  return places;
}

/** Sizes as each specification gives them; of the unknown, one word is certain. */
export function sizeOf(config: Uint8Array, place: { id: number; at: number }): number {
  const { at } = place;
  const control = u16(config, at + 2);
  switch (place.id) {
    case id.pm:
    case id.vpd:
    case id.af:
      return 8;
    case id.msix:
      return 12;
    case id.msi:
      return (bitOf(control, 7) === 1 ? 12 : 8) + (bitOf(control, 8) === 1 ? 12 : 4);
    case id.vendor:
      return Math.max(config[at + 2] ?? 0, 2);
    case id.express:
      return expressSize(config, at) ?? 4;
    default:
      return concealedSize(config, place);
  }
}

function concealedSize(config: Uint8Array, { id: which, at }: { id: number; at: number }): number {
  const control = u16(config, at + 2);
  if (which === 0x02) return (config[at + 2] ?? 0) < 0x30 ? 0x0c : 0x30;
  if (which === 0x07) return bitOf(control, 12) + bitOf(control, 13) === 0 ? 8 : 24;
  if (which === 0x08) return hyperTransportSize(control);
  if (which === 0x0c || which === 0x0d) return 8;
  if (which === 0x0e) return 0x30;
  if (which === 0x0f) return 0x14;
  if (which === 0x12) return (config[at + 4] ?? 0xff) % 16 === 15 ? 16 : 8;
  if (which === 0x14) return allocationSize(config, at);
  if (which === 0x15) return 0x24;
  return 4;
}

function hyperTransportSize(control: number): number {
  const type = Math.floor(control / 2048);
  if (type < 4) return 28;
  if (type < 8) return 24;
  if (type === 16) return 8;
  if (type === 21 && bitOf(control, 1) === 0) return 12;
  return 4;
}

/** Enhanced Allocation: each entry says how many words follow its first. */
function allocationSize(config: Uint8Array, at: number): number {
  const room = 256 - at;
  let size = 4;
  for (let entry = (config[at + 2] ?? 0) % 64; entry > 0 && size < room; entry -= 1) {
    size += 4 + 4 * (u32(config, at + size) % 8);
  }
  return Math.min(size, room);
}

function expressSize(config: Uint8Array, at: number): number | null {
  const version = u16(config, at + 2) % 16;
  const type = Math.floor(u16(config, at + 2) / 16) % 16;
  const isEndpoint = type === 0 || type === 1;
  if (version === 2 && (isEndpoint || type === 9)) return 0x3c;
  if (version === 1 && isEndpoint) return 0x14;
  if (version === 1 && type === 9) return 0x0c;
  return null;
}

/** Which places a guest gets. Whatever is broken is left out, and the rest stays. */
export function choose(config: Uint8Array, surroundings: Surroundings): { visible: Place[]; hidden: Place[] } {
  const hidden: Place[] = [];
  const sound: Place[] = [];
  for (const entry of walk(config)) {
    const place = { ...entry, sizeBytes: sizeOf(config, entry) };
    const fits = place.at + place.sizeBytes <= 256;
    const again = [...sound, ...hidden].some((other) => other.id === place.id) && !many.has(place.id);
    const clear = sound.every(
      (other) => place.at + place.sizeBytes <= other.at || other.at + other.sizeBytes <= place.at,
    );
    const good = shown.has(place.id) && ownBytesSound(config, place, surroundings) && fits && !again && clear;
    (good ? sound : hidden).push(place);
  }
  const visible = sound.filter(
    (place) => place.id !== id.msix || tableSound(config, place.at, surroundings.resources),
  );
  return { visible, hidden: [...hidden, ...sound.filter((place) => !visible.includes(place))] };
}

function ownBytesSound(config: Uint8Array, { id: which, at }: Place, { functionReset }: Surroundings): boolean {
  if (which === id.vendor) return (config[at + 2] ?? 0) >= 3;
  if (which === id.express) return expressSize(config, at) !== null;
  if (which === id.af) return config[at + 2] === 6 && functionReset && bitOf(config[at + 3] ?? 0, 1) === 1;
  return true;
}

/** M9: both areas whole inside a memory BAR that there is, and not on each other. */
function tableSound(config: Uint8Array, at: number, resources: readonly Resource[]): boolean {
  const vectors = (u16(config, at + 2) % 2048) + 1;
  const areas = [
    { pointer: u32(config, at + 4), sizeBytes: 16 * vectors },
    { pointer: u32(config, at + 8), sizeBytes: 8 * Math.ceil(vectors / 64) },
  ].map(({ pointer, sizeBytes }) => ({ bar: pointer % 8, start: pointer - (pointer % 8), sizeBytes }));
  for (const { bar, start, sizeBytes } of areas) {
    const owner = resources.find(({ index }) => index === bar);
    const placed = owner !== undefined && owner.start !== 0n && owner.kind === 'memory' && bar < 6;
    if (!placed || BigInt(start + sizeBytes) > owner.sizeBytes) return false;
  }
  const [table, pending] = areas;
  if (table === undefined || pending === undefined || table.bar !== pending.bar) return true;
  return table.start + table.sizeBytes <= pending.start || pending.start + pending.sizeBytes <= table.start;
}

/** The policy of each kind of capability. Its first two bytes are done already. */
export function describe(model: BitModel, config: Uint8Array, place: Place, surroundings: Surroundings): void {
  const { at } = place;
  if (place.id === id.pm) powerManagement(model, at);
  if (place.id === id.vpd) productData(model, at);
  if (place.id === id.msi) messages(model, config, at, surroundings);
  if (place.id === id.vendor) model.ours(at + 2, 1, config[at + 2] ?? 0);
  if (place.id === id.express) express(model, config, at, surroundings);
  if (place.id === id.msix) messageTable(model, config, at);
  if (place.id === id.af) advancedFeatures(model, config, at);
}

/** C13: no power event is offered, the state is the guest's own, nothing is lost on the way back from D3. */
function powerManagement(model: BitModel, at: number): void {
  for (const bit of [3, 6, 7, 8, 11, 12, 13, 14, 15]) model.setBit(at + 2, bit, Kind.oursFixed, 0);
  for (const bit of [0, 1]) model.setBit(at + 4, bit, Kind.oursWritable, 0);
  model.setBit(at + 4, 3, Kind.oursFixed, 1);
  model.setBit(at + 4, 8, Kind.oursFixed, 0);
  model.setBit(at + 4, 15, Kind.oursFixed, 0);
  model.describe(at, 8);
}

/** C12: a guest chooses what to read; flag F is 0 in whatever the device is given. */
function productData(model: BitModel, at: number): void {
  for (const bit of [0, 1]) model.setBit(at + 2, bit, Kind.oursFixed, 0);
  for (let bit = 2; bit < 15; bit += 1) model.setBit(at + 2, bit, Kind.deviceWritable);
  model.setBit(at + 2, 15, Kind.deviceZeroed);
  model.describe(at, 8);
}

/** M1, M2, M4: message and masks are the guest's own; no more vectors than the function has and the host takes. */
function messages(model: BitModel, config: Uint8Array, at: number, { msiVectorLimit }: Surroundings): void {
  const control = u16(config, at + 2);
  const wide = bitOf(control, 7) === 1;
  const maskable = bitOf(control, 8) === 1;
  let vectors = 1;
  let exponent = 0;
  while (exponent < 5 && exponent < Math.floor(control / 2) % 8 && vectors * 2 <= msiVectorLimit) {
    vectors *= 2;
    exponent += 1;
  }
  model.ours(at + 2, 2, (wide ? 0x80 : 0) + (maskable ? 0x100 : 0) + exponent * 2, 0b0111_0001);
  model.ours(at + 4, 4, 0, 0xffff_fffc);
  if (wide) model.ours(at + 8, 4, 0, 0xffff_ffff);
  const data = at + (wide ? 12 : 8);
  model.ours(data, 2, 0, 0xffff);
  model.ours(data + 2, 2, 0);
  if (maskable) {
    model.ours(data + 4, 4, 0, 2 ** vectors - 1);
    model.describe(data + 8, 4);
  }
}

/** M8: what says where the table is, is as it was at attach. */
function messageTable(model: BitModel, config: Uint8Array, at: number): void {
  model.ours(at + 2, 2, u16(config, at + 2) % 2048, 0xc000);
  model.ours(at + 4, 4, u32(config, at + 4));
  model.ours(at + 8, 4, u32(config, at + 8));
}

/** C14, C17: every control register is the guest's own and reaches nothing. */
function express(model: BitModel, config: Uint8Array, at: number, { functionReset }: Surroundings): void {
  const version = u16(config, at + 2) % 16;
  const isIntegrated = Math.floor(u16(config, at + 2) / 16) % 16 === 9;
  const canReset = functionReset && bitOf(u32(config, at + 4), 28) === 1;
  model.ours(at + 2, 2, u16(config, at + 2));
  model.setBit(at + 4, 28, Kind.oursFixed, canReset ? 1 : 0);
  model.ours(at + 8, 2, 0x2810, canReset ? 0xfbff : 0x7bff);
  model.describe(at + 4, 8);
  if (version === 2 || !isIntegrated) {
    model.ours(at + 0x10, 2, 0, 0x03cb);
    model.describe(at + 0x0c, 8);
  }
  if (version === 2) {
    model.ours(at + 0x28, 2, 0, 0x001f);
    model.ours(at + 0x30, 2, u32(config, at + 0x0c) % 16, 0x1fbf);
    model.describe(at + 0x24, 16);
  }
}

/** C14 for conventional functions. */
function advancedFeatures(model: BitModel, config: Uint8Array, at: number): void {
  model.ours(at + 2, 1, 6);
  model.ours(at + 3, 1, (config[at + 3] ?? 0) % 4);
  model.ours(at + 4, 1, 0, 1);
  model.describe(at + 5, 1);
}
