import { Core, RegisterFile } from '@xenpt/core-wasm';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { type FunctionImage, PciError, buildGuestView } from '../../src/index.js';
import { hostileImage } from '../support/arbitrary.js';
import { recordedDevices } from '../support/fixtures.js';
import { hostileImages } from '../support/hostile-images.js';
import type { BitModel } from './bits.js';
import { judge } from './oracle.js';

const images: fc.Arbitrary<FunctionImage> = fc.oneof(
  fc.constantFrom(...recordedDevices().map(({ image }) => image)),
  fc.constantFrom(...Object.values(hostileImages)),
  hostileImage,
);

interface Access {
  readonly offset: number;
  readonly width: number;
  /** Undefined: a read. */
  readonly value: number | undefined;
  /** What the device answers from now on, by the seed; 0: as before. */
  readonly noise: number;
}

const access: fc.Arbitrary<Access> = fc.record({
  offset: fc.oneof(
    fc.integer({ min: 0, max: 63 }).map((word) => 4 * word),
    fc.integer({ min: 0, max: 0x1010 }),
  ),
  width: fc.constantFrom(1, 2, 4, 4, 3, 8),
  value: fc.option(fc.integer({ min: 0, max: 0xffff_ffff }), { nil: undefined, freq: 3 }),
  noise: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(0xffff) }),
});

function hardware(device: Uint8Array, offset: number, width: number): number {
  let value = 0;
  for (let lane = Math.min(width, 4) - 1; lane >= 0; lane -= 1) value = value * 256 + (device[offset + lane] ?? 0xff);
  return value;
}

/** One access on both; what the device is given it keeps, so that the next access meets it. */
function step(
  file: RegisterFile,
  model: BitModel,
  device: Uint8Array,
  { offset, width, value, noise }: Access,
): void {
  if (noise !== 0) for (let byte = 0; byte < 256; byte += 1) device[byte] = (noise * (byte + 3)) >>> 5;
  const answer = hardware(device, offset, width);
  if (value === undefined) {
    expect(file.read(offset, width, answer)).toBe(model.read(offset, width, device));
    return;
  }
  const written = width < 4 ? value % 2 ** (8 * width) : value;
  file.write(offset, width, written, answer);
  model.write(offset, width, written, device);
  const enables = file.hardwareByteEnables;
  const word = offset - (offset % 4);
  for (const [byte, given] of model.given.entries()) {
    const lane = byte - word;
    const isEnabled = lane >= 0 && lane < 4 && (enables >>> lane) % 2 === 1;
    expect(isEnabled ? (file.hardwareValue >>> (8 * lane)) & 0xff : -1).toBe(given);
    if (given >= 0) device[byte] = given;
  }
}

it('any accesses in any order, on a device that changes its answers: engine and oracle stay together', () => {
  fc.assert(
    fc.property(images, fc.boolean(), fc.array(access, { maxLength: 60 }), (image, functionReset, accesses) => {
      const judgement = judge(image, { functionReset });
      const file = new RegisterFile(new Core(), 256);
      try {
        for (const { index, rule } of buildGuestView(image, { functionReset }).words) file.define(index, rule);
      } catch (error) {
        expect([error instanceof PciError, judgement.refused]).toEqual([true, true]);
        return;
      }
      if (judgement.refused) throw new Error('the oracle refuses, the engine does not');
      const device = new Uint8Array(256).fill(0xff);
      device.set(image.config.subarray(0, 256));
      for (const one of accesses) step(file, judgement.model, device, one);
      for (let offset = 0; offset < 256; offset += 4) {
        expect(file.read(offset, 4, hardware(device, offset, 4))).toBe(judgement.model.read(offset, 4, device));
      }
    }),
    { numRuns: 2000 },
  );
});

it('the merge of one bit depends on that bit alone: all of its cases, at every place, in every company', () => {
  const roles = {
    shadowed: { virtual: 1, shadowWrite: 1, hardwareWrite: 0, rw1c: 0 },
    fixed: { virtual: 1, shadowWrite: 0, hardwareWrite: 0, rw1c: 0 },
    passed: { virtual: 0, shadowWrite: 0, hardwareWrite: 1, rw1c: 0 },
    passedAndCleared: { virtual: 0, shadowWrite: 0, hardwareWrite: 1, rw1c: 1 },
    denied: { virtual: 0, shadowWrite: 0, hardwareWrite: 0, rw1c: 0 },
    zeroed: { virtual: 0, shadowWrite: 0, hardwareWrite: 0, rw1c: 1 },
  } as const;
  const core = new Core();
  const file = new RegisterFile(core, 4);
  for (const own of Object.values(roles)) {
    for (const others of Object.values(roles)) {
      for (let bit = 0; bit < 32; bit += 1) {
        const at = (1 << bit) >>> 0;
        const rest = ~at >>> 0;
        const mask = (mine: number, theirs: number) => ((mine === 1 ? at : 0) | (theirs === 1 ? rest : 0)) >>> 0;
        const outcomes = new Map<string, string>();
        for (let company = 0; company < 8; company += 1) {
          for (let mine = 0; mine < 8; mine += 1) {
            const spread = (which: number) => mask((mine >>> which) & 1, (company >>> which) & 1);
            const rule = {
              virtual: mask(own.virtual, others.virtual),
              reset: spread(0),
              shadowWrite: mask(own.shadowWrite, others.shadowWrite),
              hardwareWrite: mask(own.hardwareWrite, others.hardwareWrite),
              rw1c: mask(own.rw1c, others.rw1c),
              notify: 0,
            };
            file.define(0, rule);
            file.write(0, 4, spread(1), spread(2));
            const outcome = [
              (file.shadow(0) & at) !== 0,
              // Whether the byte goes out depends on its company; what the bit is then does not.
              (file.hardwareByteEnables >>> (bit >>> 3)) % 2 === 1 && (file.hardwareValue & at) !== 0,
              (file.read(0, 4, spread(2)) & at) !== 0,
              (file.hardwareByteEnables >>> (bit >>> 3)) % 2 === 1,
            ].join();
            const before = outcomes.get(String(mine));
            if (before === undefined) outcomes.set(String(mine), outcome);
            else expect(outcome).toBe(before);
          }
        }
      }
    }
  }
});
