import { readFileSync } from 'node:fs';
import type { FunctionImage, Resource } from '@xenpt/pci';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { everyAccess } from './support/full-card.js';
import { cardName, makeRig, slot, type Rig } from './support/rig.js';

interface Recorded {
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
const devices: readonly Recorded[] = readFileSync(
  new URL('../../pci/test/fixtures/devices.jsonl', import.meta.url),
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
function placeBars(rig: Rig, resources: readonly Resource[]): void {
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

describe.each(devices)('$name ($place)', ({ image }) => {
  it('is attached, placed, overrun with writes and given back, and no rule is broken', () => {
    const rig = makeRig({ images: [image] });
    rig.attach();
    placeBars(rig, image.resources);
    const mappable = image.resources.filter(({ index }) => index !== 6).length;
    const { bars } = rig.model.view(cardName);
    expect(bars.filter(({ mapped }) => mapped).length).toBe(mappable);
    for (const value of [0xffff_ffff, 0, 0x5555_5555, 0xaaaa_aaaa]) {
      for (const [offset, width] of everyAccess) rig.guest(slot).writeConfig(offset, value, width);
    }
    expect([rig.faults, rig.hypervisor.violations]).toEqual([[], []]);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });
});

it('any life of any recorded device breaks no rule and leaves nothing', () => {
  const access = fc.tuple(
    fc.constantFrom(...everyAccess),
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.constantFrom(0, 1, 3, 7, 0x407, 0x8000, 0xc000, 0xf000_0000),
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom(...devices), fc.array(access, { maxLength: 80 }), ({ image }, accesses) => {
      const rig = makeRig({ images: [image] });
      rig.attach();
      placeBars(rig, image.resources);
      for (const [[offset, width], value] of accesses) rig.guest().writeConfig(offset, value, width);
      expect([rig.faults, rig.hypervisor.violations]).toEqual([[], []]);
      rig.model.detach(cardName);
      rig.hypervisor.assertBaseline();
    }),
    { numRuns: 500 },
  );
});
