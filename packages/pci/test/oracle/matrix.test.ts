import { expect, it } from 'vitest';

import { recordedDevices } from '../support/fixtures.js';
import { hostileImages } from '../support/hostile-images.js';
import { type Comparison, compare } from './matrix.js';

/** On any machine, with other tests beside it; the figure of the project is 60 s. */
const limitMs = 60_000;

const devices = recordedDevices();

function differencesOf(name: string, { differences }: Comparison): string[] {
  return differences.map((difference) => `${name}: ${difference}`);
}

it('there are enough of them', () => {
  const kinds = new Set(devices.map(({ image }) => (image.config[0x0b] ?? 0) * 256 + (image.config[0x0a] ?? 0)));
  expect(devices.length).toBeGreaterThanOrEqual(100);
  expect(new Set(devices.map(({ name }) => name)).size).toBeGreaterThanOrEqual(30);
  // Network, storage, sound, display, USB, bridges, serial …: classes, not models.
  expect(kinds.size).toBeGreaterThanOrEqual(15);
  expect(Object.keys(hostileImages).length).toBeGreaterThanOrEqual(40);
});

it('every recorded device: engine and oracle agree in every bit', () => {
  const differences: string[] = [];
  let probes = 0;
  let refused = 0;
  const started = performance.now();
  for (const { name, place, image } of devices) {
    const comparison = compare(image);
    probes += comparison.probes;
    refused += comparison.refused ? 1 : 0;
    differences.push(...differencesOf(`${name} (${place})`, comparison));
  }
  const elapsedMs = performance.now() - started;
  process.stdout.write(
    `matrix: ${devices.length} devices, ${refused} of them bridges and refused; ` +
      `${probes} comparisons in ${Math.round(elapsedMs)} ms\n`,
  );
  expect(differences).toEqual([]);
  expect(probes).toBeGreaterThan(20_000_000);
  expect(elapsedMs).toBeLessThan(limitMs);
});

it('every hostile image, with and without a reset to offer', () => {
  const differences: string[] = [];
  for (const [name, image] of Object.entries(hostileImages)) {
    for (const functionReset of [false, true]) {
      differences.push(
        ...differencesOf(
          name,
          compare(image, { functionReset, msiVectorLimit: functionReset ? 8 : 1, extended: false }),
        ),
      );
    }
  }
  expect(differences).toEqual([]);
});

it('a sample of the devices with everything opened that can be', () => {
  const differences: string[] = [];
  for (const { name, image } of devices.filter((_, index) => index % 8 === 0)) {
    const options = { permissive: true, functionReset: true, multifunction: true, msiVectorLimit: 32 };
    differences.push(...differencesOf(name, compare(image, options)));
  }
  expect(differences).toEqual([]);
});

it('a sample of the devices on the debug build, which checks itself', () => {
  const differences: string[] = [];
  for (const { name, image } of devices.filter((_, index) => index % 20 === 0)) {
    differences.push(...differencesOf(name, compare(image, {}, 'debug')));
  }
  expect(differences).toEqual([]);
});
