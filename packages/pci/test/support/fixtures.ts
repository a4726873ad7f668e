import { readFileSync } from 'node:fs';

import type { FunctionImage, Resource } from '../../src/index.js';

/** A function as scripts/record-fixtures.mjs found it. */
export interface RecordedDevice {
  readonly name: string;
  /** Where it stood: behind a root port, on the root bus, or in the machine from the start. */
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

/** Every recorded function, bridges among them. */
export function recordedDevices(): RecordedDevice[] {
  const text = readFileSync(new URL('../fixtures/devices.jsonl', import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => toDevice(JSON.parse(line) as Line));
}

function toDevice({ name, place, vendorId, deviceId, irq, resources, sizeBytes, rows }: Line): RecordedDevice {
  const config = new Uint8Array(sizeBytes);
  for (const [offset, hex] of Object.entries(rows)) config.set(Buffer.from(hex, 'hex'), Number.parseInt(offset, 16));
  const image: FunctionImage = {
    sbdf: { segment: 0, bus: 1, device: 0, function: 0 },
    config,
    resources: resources.map((one) => ({ ...one, start: BigInt(one.start), sizeBytes: BigInt(one.sizeBytes) })),
    irq,
    vendorId,
    deviceId,
  };
  return { name, place, image };
}
