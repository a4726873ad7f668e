import { readFileSync } from 'node:fs';
import type { FunctionImage, Resource } from '@xenpt/pci';
import type { Rig } from './rig.js';

export interface Recorded {
  readonly name: string;
  readonly place: string;
  readonly image: FunctionImage;
}

interface Line {
  readonly name: string;
  readonly place: string;
  readonly vendorId: number;
  readonly deviceId: number;
  readonly irq: number;
  readonly resources: readonly (Omit<Resource, 'start' | 'sizeBytes'> & { start: string; sizeBytes: string })[];
  readonly sizeBytes: number;
  readonly rows: Readonly<Record<string, string>>;
}

/** What packages/pci/scripts/record-fixtures.mjs recorded, bridges left out: no guest gets one. */
export const recordedDevices: readonly Recorded[] = readFileSync(
  new URL('../../../pci/test/fixtures/devices.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((text) => JSON.parse(text) as Line)
  .map(({ name, place, rows, resources, sizeBytes, ...rest }) => {
    const config = new Uint8Array(sizeBytes);
    for (const [offset, hex] of Object.entries(rows))
      config.set(Buffer.from(hex, 'hex'), Number.parseInt(offset, 16));
    const image: FunctionImage = {
      ...rest,
      config,
      sbdf: { segment: 0, bus: 1, device: 0, function: 0 },
      resources: resources.map((one) => ({ ...one, start: BigInt(one.start), sizeBytes: BigInt(one.sizeBytes) })),
    };
    return { name, place, image };
  })
  .filter(({ image }) => ((image.config[0x0e] ?? 0) & 0x7f) === 0);

/** Places BARs where guests do, as firmware would: the largest first, memory above 3.5 GiB or 4 GiB. */
export function placeBars(rig: Rig, resources: readonly Resource[]): void {
  const guest = rig.guest();
  let memory = 0xe000_0000;
  let port = 0xc000;
  guest.command(0);
  for (const { index, kind, sizeBytes, is64Bit } of resources.toSorted((a, b) => Number(b.sizeBytes - a.sizeBytes))) {
    if (index === 6) continue;
    const size = Math.max(Number(sizeBytes), kind === 'io' ? 4 : 4096);
    const address = kind === 'io' ? Math.ceil(port / size) * size : Math.ceil(memory / size) * size;
    guest.placeBar(index, address);
    if (is64Bit) guest.placeBar(index + 1, 0);
    if (kind === 'io') port = address + size;
    else memory = address + size;
  }
  guest.command(7);
}
