import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeGuestMemory, request } from './support/guest.js';
import { runningRig } from './support/full-card.js';
import { at, memoryBar, networkCard } from './support/network-card.js';
import { cardName, home, makeRig, placeAll, type Rig, type RigOptions } from './support/rig.js';

function touchRig(options: RigOptions = {}): Rig {
  return runningRig(networkCard(), { ...options, barAccess: true });
}

const mapCalls = (rig: Rig) => rig.hypervisor.calls.filter(({ name }) => /^(un)?mapMemory$/.test(name));

describe('a BAR that is mapped when it is touched', () => {
  it('is claimed and not mapped, however often decode goes on and off', () => {
    const rig = touchRig();
    for (let round = 0; round < 11; round += 1) {
      rig.guest().command(0);
      rig.guest().command(7);
    }
    expect(mapCalls(rig)).toEqual([]);
    expect(rig.device.barAccesses).toEqual([]);
    for (const address of [home.bar0, home.bar1, home.bar3])
      expect(rig.hypervisor.isClaimed(BigInt(address))).toBe(true);
    expect(rig.model.view(cardName).bars[0]).toMatchObject({ mapped: true, rounds: 12 });
  });

  it.each([1, 2, 4, 8])(
    'has its first access of %i byte(s) made for the guest in that width, and is mapped',
    (size) => {
      const rig = touchRig();
      const { device, hypervisor } = rig;
      const value = BigInt.asUintN(size * 8, 0x8877_6655_4433_2211n);
      rig.guest().writeMemory(home.bar0 + 0x5008, value, size);
      expect(rig.guest().readMemory(home.bar1 + 0x18, size)).toBe(device.bar(1).peek(0x18, size));
      expect(device.barAccesses).toEqual([
        { bar: 0, offset: 0x5008, size, written: value },
        { bar: 1, offset: 0x18, size, written: null },
      ]);
      const frame = (index: number) => (device.image.resources[index]?.start ?? 0n) >> 12n;
      expect(hypervisor.mappedFrames()).toEqual([
        [0xf0000n, frame(0), 32n],
        [0xf0020n, frame(1), 32n],
      ]);
      expect(hypervisor.violations).toEqual([]);
    },
  );

  it('is unmapped before its range is given up, and only if it was mapped', () => {
    const rig = touchRig();
    rig.guest().readMemory(home.bar0);
    const since = rig.hypervisor.calls.length;
    rig.guest().command(0);
    const names = rig.hypervisor.calls.slice(since).map((call) => call.name);
    expect(names).toEqual(['unmapMemory', 'releaseMemory', 'releaseMemory', 'unmapPorts', 'releaseMemory']);
    expect(rig.guest().readMemory(home.bar0)).toBe(0xffff_ffffn);
    rig.guest().command(7);
    rig.guest().placeBar(0, home.bar0 + 0x10_0000);
    rig.guest().readMemory(home.bar0 + 0x10_0000);
    expect(rig.hypervisor.mappedFrames()).toEqual([[0xf0100n, expect.any(BigInt) as bigint, 32n]]);
    expect(rig.device.barAccesses).toHaveLength(2);
  });

  it('makes an access that was on its way when another mapped the BAR, once', () => {
    const rig = touchRig();
    rig.guest().readMemory(home.bar0 + 8);
    rig.guest().writeMemory(home.bar0 + 8, 5);
    expect(rig.device.barAccesses.map(({ written }) => written)).toEqual([null, 5n]);
    expect(mapCalls(rig)).toHaveLength(1);
  });

  it('keeps the MSI-X table to us, and maps what is beside it', () => {
    const rig = touchRig();
    const guest = rig.guest();
    guest.writeMemory(home.bar3 + 8, 0x4041);
    expect(guest.readMemory(home.bar3 + 8)).toBe(0x4041n);
    expect([rig.device.barAccesses, mapCalls(rig)]).toEqual([[], []]);
    guest.writeMemory(home.bar3 + 0x1000, 1);
    expect(rig.device.barAccesses).toEqual([{ bar: 3, offset: 0x1000, size: 4, written: 1n }]);
    expect(rig.hypervisor.mappedFrames().map(([gfn, , count]) => [gfn, count])).toEqual([[0xf0041n, 3n]]);
    guest.writeMemory(home.bar3 + 12, 0);
    guest.writeConfig(at.msix + 2, 0x8004, 2);
    expect(rig.hypervisor.count('bindMsi')).toBe(1);
    expect(rig.hypervisor.violations).toEqual([]);
  });

  it('serves a guest that Xen will not map it for, and asks again ever more rarely', () => {
    const rig = touchRig();
    rig.hypervisor.failAt('mapMemory', 'ENOMEM', 100);
    for (let count = 0; count < 1000; count += 1) rig.guest().writeMemory(home.bar0 + 4, count);
    expect(rig.device.barAccesses.map(({ written }) => written)).toEqual(
      Array.from({ length: 1000 }, (_, n) => BigInt(n)),
    );
    expect(mapCalls(rig)).toHaveLength(10);
    expect(rig.model.view(cardName).bars[0]?.mapped).toBe(true);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });

  it('repeats element by element, in the width of the elements, up to the pages of the table', () => {
    const memory = new FakeGuestMemory(0x5000, 16);
    memory.bytes.set([1, 0, 2, 0, 3, 0, 4, 0]);
    const rig = makeRig({
      images: [networkCard({ msixTable: 0x1003, msixPending: 0x2003 })],
      barAccess: true,
      memory,
    });
    rig.attach();
    placeAll(rig.guest());
    const address = BigInt(home.bar3 + 0xffc);
    rig.handler.handle(request({ type: 1, address, size: 2, count: 4, data: 0x5000n, pointer: true }));
    expect(rig.device.barAccesses).toEqual([
      { bar: 3, offset: 0xffc, size: 2, written: 1n },
      { bar: 3, offset: 0xffe, size: 2, written: 2n },
    ]);
    expect([rig.hypervisor.violations, rig.faults]).toEqual([[], []]);
  });

  it('has no write to its pending bits made, and is mapped for it all the same', () => {
    const rig = touchRig();
    rig.guest().writeMemory(home.bar3 + 0x2000, 1n, 8);
    expect(rig.device.barAccesses).toEqual([]);
    expect(rig.hypervisor.mappedFrames().map(([gfn, , count]) => [gfn, count])).toEqual([[0xf0041n, 3n]]);
    rig.guest().readMemory(home.bar3 + 0x2000);
    expect(rig.device.barAccesses).toEqual([{ bar: 3, offset: 0x2000, size: 4, written: null }]);
    expect(rig.hypervisor.violations).toEqual([]);
  });

  it('has no access made that reaches into the next page', () => {
    const rig = touchRig();
    for (const address of [home.bar0 + 0xffc, home.bar1 + 0x1_fffc, home.bar3 - 4]) {
      rig.guest().writeMemory(address, 1n, 8);
      expect(rig.guest().readMemory(address, 8)).toBe(0xffff_ffff_ffff_ffffn);
    }
    expect([rig.device.barAccesses, mapCalls(rig), rig.faults]).toEqual([[], [], []]);
  });

  it('is mapped when placed where the host makes no accesses for anybody, and that is said', () => {
    const rig = makeRig({ barAccess: true });
    rig.device.openBar = () => {
      throw new Error('EPERM');
    };
    rig.attach();
    placeAll(rig.guest());
    expect(rig.hypervisor.mappedFrames()).toHaveLength(3);
    expect(rig.reports).toContain(`bar access: ${cardName}: BAR 0 is mapped untouched: EPERM`);
  });

  it('smaller than a page takes its whole page, as if it were mapped', () => {
    const rig = makeRig({
      images: [networkCard({ msix: false, resources: [memoryBar(0, 0xe000_0000n, 0x100n)] })],
      barAccess: true,
    });
    rig.attach();
    rig.guest().placeBar(0, home.bar0);
    rig.guest().command(2);
    rig.guest().readMemory(home.bar0 + 0xffc);
    expect(rig.device.barAccesses).toEqual([{ bar: 0, offset: 0xffc, size: 4, written: null }]);
    expect(rig.hypervisor.mappedFrames()).toEqual([[0xf0000n, 0xe0000n, 1n]]);
  });
});

/** What a guest's processor does with an address: through the mapping, or through us, or into the void. */
function access(rig: Rig, address: number, size: number, value: bigint | null): bigint {
  const { hypervisor, device } = rig;
  const gfn = BigInt(address) >> 12n;
  const mapping = hypervisor.mappedFrames().find(([first, , count]) => first <= gfn && gfn < first + count);
  if (mapping !== undefined) {
    const host = ((mapping[1] + gfn - mapping[0]) << 12n) + BigInt(address & 0xfff);
    const resource = device.image.resources.find(({ kind, start, sizeBytes }) => {
      return kind === 'memory' && start <= host && host < start + sizeBytes;
    });
    const bar = device.bar(resource?.index ?? -1);
    const offset = Number(host - (resource?.start ?? 0n));
    // Xen drops what a guest writes to the page with the pending bits.
    if (value !== null && bar.index === 3 && Math.floor(offset / 4096) === 2) return 0n;
    if (value !== null) bar.write(offset, size, Number(value & 0xffff_ffffn), Number(value >> 32n));
    else {
      const low = bar.read(offset, size);
      return (BigInt(bar.high) << 32n) | BigInt(low);
    }
    return 0n;
  }
  if (!hypervisor.isClaimed(BigInt(address))) return BigInt.asUintN(size * 8, -1n);
  if (value === null) return rig.guest().readMemory(address, size);
  rig.guest().writeMemory(address, value, size);
  return 0n;
}

const bars = [
  { index: 0, sizeBytes: 0x2_0000 },
  { index: 1, sizeBytes: 0x2_0000 },
  { index: 3, sizeBytes: 0x4000 },
] as const;
type Bar = (typeof bars)[number];
type Life = (rig: Rig, oracle: Oracle) => void;

/** What the device must have seen, kept without a look at the model. */
class Oracle {
  decodes = true;
  readonly places = new Map<number, number>([
    [0, home.bar0],
    [1, home.bar1],
    [3, home.bar3],
  ]);
  readonly expected: unknown[] = [];

  /** The BAR and offset an address leads to; a BAR that overlaps another, or RAM, may stand nowhere: not asked here. */
  find(address: number): { bar: Bar; offset: number } | null {
    if (!this.decodes) return null;
    for (const bar of bars) {
      const offset = address - (this.places.get(bar.index) ?? -1);
      if (offset >= 0 && offset < bar.sizeBytes) return { bar, offset };
    }
    return null;
  }
}

const bar = fc.constantFrom<Bar>(...bars);
const sizes = fc.constantFrom(1, 2, 4, 8);
const lives: fc.Arbitrary<Life> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.boolean().map<Life>((on) => (rig, oracle) => {
      rig.guest().command(on ? 7 : 0);
      oracle.decodes = on;
    }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(bar, fc.integer({ min: 0, max: 15 })).map<Life>(([{ index }, place]) => (rig, oracle) => {
      // Each BAR has places of its own, so that none is refused.
      const address = 0xf100_0000 + index * 0x100_0000 + place * 0x4_0000;
      rig.guest().placeBar(index, address);
      oracle.places.set(index, address);
    }),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        bar,
        fc.integer({ min: 0, max: 0x1_ffff }),
        sizes,
        fc.option(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
      )
      .map<Life>(([{ index, sizeBytes }, raw, size, value]) => (rig, oracle) => {
        const offset = raw % sizeBytes;
        const address = (oracle.places.get(index) ?? 0) + offset - (offset % size);
        const written = value === null ? null : BigInt.asUintN(size * 8, value);
        const found = oracle.find(address);
        const isTable = found?.bar.index === 3 && found.offset < 5 * 16;
        const before = found === null ? null : rig.device.bar(found.bar.index).peek(found.offset, size);
        const answer = access(rig, address, size, written);
        if (found === null) {
          if (written === null) expect(answer).toBe(BigInt.asUintN(size * 8, -1n));
          return;
        }
        // Pages with table or pending bits are Xen's to write: see the test above.
        const page = Math.floor(found.offset / 4096);
        if (isTable || (written !== null && found.bar.index === 3 && (page === 0 || page === 2))) return;
        oracle.expected.push({ bar: found.bar.index, offset: found.offset, size, written });
        if (written === null) expect(answer).toBe(before);
      }),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 3 }).map<Life>((times) => (rig) => {
      rig.hypervisor.failAt('mapMemory', 'ENOMEM', times);
    }),
  },
);

it('no access is lost or made twice, each keeps its width, and nothing is left', () => {
  fc.assert(
    fc.property(fc.array(lives, { maxLength: 80 }), (life) => {
      const rig = touchRig();
      const oracle = new Oracle();
      for (const step of life) step(rig, oracle);
      expect(rig.device.barAccesses).toEqual(oracle.expected);
      expect([rig.hypervisor.violations, rig.faults]).toEqual([[], []]);
      rig.model.detach(cardName);
      rig.hypervisor.assertBaseline();
    }),
    { numRuns: 400 },
  );
});
