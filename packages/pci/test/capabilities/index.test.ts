import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Capability, capabilities, concealedCapabilities, headerType0 } from '../../src/index.js';
import { capabilityRegisters, capabilitySize } from '../../src/capabilities/capability.js';
import { faultsOf } from '../support/registers.js';

const folder = new URL('../../src/capabilities/', import.meta.url);
const notCapabilities = ['capability.ts', 'extended', 'index.ts'];
const everyCapability: readonly Capability[] = [...capabilities, ...concealedCapabilities];
const capabilityFiles = readdirSync(folder).filter((file) => !notCapabilities.includes(file));

/** What an occurrence can look like: anything, with the length in its plausible range. */
const occurrence = fc.uint8Array({ minLength: 192, maxLength: 192 }).map((bytes) => {
  bytes[2] = Math.max(3, bytes[2] ?? 0);
  return bytes;
});

describe('the list', () => {
  it('has every file of the folder once', () => {
    const index = readFileSync(new URL('index.ts', folder), 'utf8');
    for (const file of capabilityFiles) expect(index).toContain(`'./${file.replace('.ts', '.js')}'`);
    expect(everyCapability.length).toBe(capabilityFiles.length);
    expect(new Set(everyCapability).size).toBe(everyCapability.length);
  });

  it('has each id of the specification once, shown or concealed', () => {
    const ids = everyCapability.map(({ id }) => id);
    // PCI Code and ID Assignment 1.11 §2: 00h to 15h.
    expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 0x16 }, (_, id) => id));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toBeGreaterThanOrEqual(0);
    for (const id of ids) expect(id).toBeLessThan(0xff);
  });

  it.each(capabilityFiles)('%s cites its specification', (file) => {
    expect(readFileSync(new URL(file, folder), 'utf8')).toMatch(/^\/\/ PCI.*(§|appendix |ECN)/m);
  });

  it('has a reason and a size for what is concealed', () => {
    for (const { reason, size } of concealedCapabilities) {
      expect(reason.length).toBeGreaterThan(10);
      if (typeof size === 'number') expect(size).toBeGreaterThanOrEqual(4);
      else fc.assert(fc.property(occurrence, (bytes) => size(bytes) >= 4));
    }
  });
});

describe.each(everyCapability.map((capability) => [capability.name, capability] as const))(
  '%s',
  (_name, capability) => {
    it('has sound registers inside its size, whatever its bytes are', () => {
      fc.assert(
        fc.property(occurrence, (bytes) => {
          for (const functionReset of [false, true]) {
            const circumstances = { functionReset, msiVectorLimit: functionReset ? 32 : 1 };
            if (capability.refusal?.(bytes, circumstances) !== undefined) continue;
            const registers = capabilityRegisters(capability, bytes, circumstances);
            expect(faultsOf(registers, capabilitySize(capability, bytes))).toEqual([]);
          }
        }),
        { numRuns: 300 },
      );
    });

    it('survives being cut off', () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 4, maxLength: 64 }), (bytes) => {
          capability.refusal?.(bytes);
          capabilityRegisters(capability, bytes);
          capability.geometry?.({
            offset: 0x40,
            bytes,
            bars: [],
            circumstances: { functionReset: true, msiVectorLimit: 32 },
          });
          expect(capabilitySize(capability, bytes)).toBeGreaterThanOrEqual(0);
        }),
      );
    });
  },
);

it('the header has sound registers', () => {
  expect(faultsOf(headerType0, 64)).toEqual([]);
});

it('the check finds what it looks for', () => {
  const guest = { virtual: 0x0f, shadowWrite: 0xff, hardwareWrite: 0x01, notify: 0x100, why: 'short' };
  const broken = {
    one: { offset: 1, width: 2, reset: 0x1_0000, ro: 1, rw1c: 1, fields: { a: [0, 9], b: [8, 9] }, guest },
    two: { offset: 2, width: 2, reset: 0, guest: { why: 'It stands on its neighbour.' } },
  } as const;
  expect(faultsOf(broken, 3).length).toBeGreaterThanOrEqual(10);
});

it('the engine names no capability', () => {
  for (const directory of ['config-space', 'bars', 'guest-view']) {
    const source = new URL(`../../src/${directory}/`, import.meta.url);
    for (const file of readdirSync(source)) {
      const text = readFileSync(new URL(file, source), 'utf8').replace(/\/\/.*|\/\*[^]*?\*\//g, '');
      for (const { name } of capabilities) expect(text, `${directory}/${file}`).not.toContain(name);
      expect(text, `${directory}/${file}`).not.toMatch(
        /capabilities\/(?!index|capability|extended\/(?:index|extended-capability))/,
      );
    }
  }
});
