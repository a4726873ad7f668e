import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HypervisorCallName } from '../src/testing/index.js';
import { fullAt, fullCard } from './support/full-card.js';
import { request } from './support/guest.js';
import { at, memoryBar, networkCard } from './support/network-card.js';
import { cardName, home, makeRig, placeAll, slot, type Rig } from './support/rig.js';

/** One thing a guest, or its operator, may do. */
type Step = (rig: Rig) => void;

const word = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 1, 7, 0x400, 0x407, 0x8000, 0xc000, 0xffff, 0xffff_ffff, 0xf000_0000, 0xfee0_1000),
);
const width = fc.constantFrom(1, 2, 4);
const place = fc.oneof(
  fc.integer({ min: 0xeffff, max: 0xf00ff }).map((page) => page * 4096),
  fc.constantFrom(0, 0xffff_ffff, 0x1000, 0x7fff_0000, 0xfebf_f000, 0xfee0_0000, 0xc000, 0xcf8, 0xfff0, 0x3f8),
  ...Object.values(home).map((address) => fc.constant(address)),
);

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 0x10f }), width, word).map<Step>(([offset, size, value]) => {
    return (rig) => rig.guest().writeConfig(offset - (offset % size), value, size);
  }),
  fc.tuple(fc.integer({ min: 0, max: 5 }), place).map<Step>(([index, address]) => {
    return (rig) => rig.guest().placeBar(index, address);
  }),
  fc.constantFrom(0, 2, 3, 7, 0x407, 0x403).map<Step>((value) => (rig) => rig.guest().command(value)),
  fc.constantFrom(0x0004, 0x4004, 0x8004, 0xc004).map<Step>((value) => {
    return (rig) => rig.guest().writeConfig(at.msix + 2, value, 2);
  }),
  fc
    .constantFrom(0x0080, 0x0081, 0x00f1)
    .map<Step>((value) => (rig) => rig.guest().writeConfig(at.msi + 2, value, 2)),
  fc.tuple(fc.constantFrom(4, 8, 12), word).map<Step>(([offset, value]) => {
    return (rig) => rig.guest().writeConfig(at.msi + offset, value);
  }),
  fc
    .tuple(fc.integer({ min: -4, max: 90 }), fc.constantFrom(4, 4, 4, 8, 2), word)
    .map<Step>(([dword, size, value]) => {
      return (rig) => {
        const table = rig.model.view(cardName).bars[3]?.guestAddress ?? BigInt(home.bar3);
        rig.guest().writeMemory(Number(table) + dword * 4, size === 8 ? BigInt(value) : value, size);
      };
    }),
  fc
    .tuple(fc.integer({ min: 0, max: 0x3fff }), fc.constantFrom(0, 1, 3), fc.constantFrom(1, 2, 4, 8))
    .map<Step>(([offset, index, size]) => {
      return (rig) => {
        const address = rig.model.view(cardName).bars.find((bar) => bar.index === index)?.guestAddress;
        if (address != null) rig.guest().readMemory(Number(address) + offset - (offset % size), size);
      };
    }),
  fc.constant<Step>((rig) => {
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
    rig.attach();
  }),
  fc.constant<Step>((rig) => placeAll(rig.guest())),
  fc.constantFrom(0, 0, 1, 2, 3).map<Step>((state) => {
    return (rig) => rig.guest().writeConfig(at.powerManagement + 4, state, 1);
  }),
  fc.constantFrom(0x10, 0x90).map<Step>((value) => {
    return (rig) => rig.guest().writeConfig(fullAt.express + 9, value, 1);
  }),
  fc.constant<Step>((rig) => rig.guest().writeConfig(fullAt.features + 4, 1, 1)),
);

/** The guest lets go of it in the middle of something, and gets it back. */
const ejects = fc.constant<Step>((rig) => {
  rig.model.expectEjects(0);
  rig.handler.handle(request({ type: 0, address: 0xae08n, size: 4, data: 1n << BigInt(slot >>> 3) }));
  expect(rig.hypervisor.held()).toHaveLength(2);
  rig.model.detach(cardName);
  rig.model.ignoreEjects();
  rig.hypervisor.assertBaseline();
  rig.attach();
});

function check(rig: Rig): void {
  expect(rig.faults).toEqual([]);
  expect(rig.hypervisor.violations).toEqual([]);
  const command = rig.guest().readConfig(4, 2);
  const { bars, vectors } = rig.model.view(cardName);
  const asleep = rig.guest().readConfig(at.powerManagement + 4, 1) & 3;
  if ((command & 2) === 0 || asleep > 0) expect(rig.hypervisor.mappedFrames()).toEqual([]);
  for (const { kind, guestAddress } of bars) {
    if (guestAddress !== null) expect(command & (kind === 'io' ? 1 : 2)).not.toBe(0);
  }
  // XSA-120: what the guest decodes, hardware decodes.
  expect(rig.device.command & 3).toBe(3);
  if (vectors.some(({ bound }) => bound)) expect(rig.device.msixEnabled).toBe(true);
}

describe.each([
  ['mapped when placed', false],
  ['mapped when touched', true],
])('whatever a guest does, its BARs %s,', (_, barAccess) => {
  it('no rule of the strict hypervisor or of the hardware is broken, and detach leaves nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 20, arbitrary: steps }, { weight: 1, arbitrary: ejects }), { maxLength: 60 }),
        (life) => {
          const rig = makeRig({ images: [fullCard()], barAccess });
          rig.attach();
          placeAll(rig.guest());
          for (const step of life) {
            step(rig);
            check(rig);
          }
          rig.model.detach(cardName);
          rig.hypervisor.assertBaseline();
        },
      ),
      { numRuns: 300 },
    );
  });

  it('and whatever Xen refuses meanwhile, the second detach leaves nothing', () => {
    const names = [
      'mapMemory',
      'unmapMemory',
      'mapPorts',
      'unmapPorts',
      'claimMemory',
      'releaseMemory',
      'mapMsi',
    ] as const;
    const more = ['bindMsi', 'unbindMsi', 'unmapPirq', 'releaseFunction', 'unbindIntx'] as const;
    const fault = fc.constantFrom<HypervisorCallName>(...names, ...more).map<Step>((name) => {
      return (rig) => rig.hypervisor.failAt(name);
    });
    const quiet = (run: () => void) => {
      try {
        run();
      } catch (error) {
        expect(error).toMatchObject({ code: /RELEASE_INCOMPLETE|ATTACH_FAILED|NOT_ATTACHED/ });
      }
    };
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 4, arbitrary: steps }, { weight: 1, arbitrary: fault }), { maxLength: 60 }),
        (life) => {
          const rig = makeRig({ barAccess });
          rig.attach();
          placeAll(rig.guest());
          for (const step of life) {
            try {
              step(rig);
            } catch {
              // A detach that met a fault: the device stays for another try.
            }
            expect(rig.hypervisor.violations).toEqual([]);
          }
          expect(rig.faults).toEqual([]);
          for (let tries = 0; tries < 20 && rig.model.devices.length > 0; tries += 1) {
            quiet(() => rig.model.detach(cardName));
          }
          rig.hypervisor.assertBaseline();
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a table in odd places', () => {
  it.each([
    ['alone in its BAR', 0x1000n, 5, 0x3, 0x803, []],
    ['in the last page', 0x4000n, 5, 0x3003, 0x0003, [[0xf0040n, 3n]]],
    [
      'in the middle of a page',
      0x4000n,
      5,
      0x1803,
      0x0003,
      [
        [0xf0040n, 1n],
        [0xf0042n, 2n],
      ],
    ],
    [
      'across a page boundary',
      0x8000n,
      64,
      0x1f03,
      0x5003,
      [
        [0xf0040n, 1n],
        [0xf0043n, 5n],
      ],
    ],
    ['of 2048 entries', 0x1_0000n, 2048, 0x0003, 0x8003, [[0xf0048n, 8n]]],
  ])('%s is never mapped, all the rest is', (_, sizeBytes, msixVectorCount, msixTable, msixPending, expected) => {
    const resources = [memoryBar(3, 0xe004_0000n, sizeBytes)];
    const rig = makeRig({ images: [networkCard({ resources, msixVectorCount, msixTable, msixPending })] });
    rig.attach();
    rig.guest().placeBar(3, home.bar3);
    rig.guest().command(2);
    expect(rig.hypervisor.mappedFrames().map(([gfn, , count]) => [gfn, count])).toEqual(expected);
    const entry = home.bar3 + (msixTable & ~7) + (msixVectorCount - 1) * 16;
    rig.guest().writeMemory(entry + 8, 0x4055);
    expect(rig.guest().readMemory(entry + 8)).toBe(0x4055n);
    expect(rig.guest().readMemory(entry + 14, 2)).toBe(0xffffn);
    expect(rig.model.view(cardName).bars[0]).toMatchObject({ mapped: true });
    rig.guest().writeMemory(entry + 12, 0);
    rig.guest().writeConfig(at.msix + 2, 0x8000, 2);
    expect(rig.hypervisor.count('bindMsi')).toBe(1);
    expect(rig.hypervisor.violations).toEqual([]);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });
});

describe('BARs of every size', () => {
  it.each([
    [0xe000_0000n, 0x1_0000_0000n, 0x1_0000_0000n],
    [0x40_0000_0000n, 0x10_0000_0000n, 0x10_0000_0000n],
    [0x100_0000_0000n, 0x100_0000_0000n, 0x300_0000_0000n],
    [0x8_0000_0000_0000n, 0x1_0000_0000n, 0xf_ffff_0000_0000n],
  ])('at host 0x%x of 0x%x bytes are mapped exactly at 0x%x', (start, sizeBytes, guestAddress) => {
    const resources = [memoryBar(0, start - (start % sizeBytes), sizeBytes, true)].map((bar) => {
      return bar.start === 0n ? { ...bar, start: sizeBytes } : bar;
    });
    const rig = makeRig({ images: [networkCard({ resources, msix: false })] });
    rig.attach();
    rig.guest().placeBar(0, Number(guestAddress & 0xffff_ffffn));
    rig.guest().placeBar(1, Number(guestAddress >> 32n));
    rig.guest().command(2);
    const hostStart = resources[0]?.start ?? 0n;
    expect(rig.hypervisor.mappedFrames()).toEqual([[guestAddress >> 12n, hostStart >> 12n, sizeBytes >> 12n]]);
    rig.guest().placeBar(1, 0x0010_0000);
    expect(rig.hypervisor.mappedFrames()).toEqual([]);
    expect(rig.model.view(cardName).bars[0]?.refusal).toBe('too-high');
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });
});

describe('INTx disable', () => {
  it('is set in hardware always and cleared only while the line is bound', () => {
    const rig = makeRig();
    rig.attach();
    rig.guest().command(0x0407);
    expect(rig.device.command & 0x0400).toBe(0x0400);
    rig.guest().command(0x0007);
    expect(rig.device.command & 0x0400).toBe(0);
  });

  it.each([
    [0, 1],
    [255, 1],
    [0x8000_0000, 1],
    [-1, 1],
    [16, 0],
    [16, 5],
  ])('with irq %i and pin %i stays set, and no line is mapped', (irq, interruptPin) => {
    const rig = makeRig({ images: [networkCard({ irq, interruptPin })] });
    rig.attach();
    expect(rig.hypervisor.count('mapGsi')).toBe(0);
    rig.guest().command(0x0407);
    rig.guest().command(0x0007);
    expect(rig.device.command & 0x0400).toBe(0x0400);
    expect(rig.guest().readConfig(4, 2) & 0x0400).toBe(0);
    rig.model.detach(cardName);
    rig.hypervisor.assertBaseline();
  });

  it('raises the line at the guest slot, at the pin of the card', () => {
    const rig = makeRig({ images: [networkCard({ interruptPin: 3 })] });
    rig.attach();
    expect(rig.hypervisor.calls[1]).toEqual({ name: 'bindIntx', arguments: [16, slot >>> 3, 2] });
  });
});
