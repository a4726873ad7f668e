import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import type { Resource } from '../../src/index.js';
import { recordedDevices } from '../support/fixtures.js';
import { hostileImages } from '../support/hostile-images.js';
import { Dice, type FuzzCase, Judge, nextCase } from './fuzz.js';

/** Findings of earlier runs, kept: each is run again before anything new is tried. */
const corpus = new URL('../fixtures/fuzz/', import.meta.url);
const executions = Number(process.env['XENPT_FUZZ_EXECUTIONS'] ?? 20_000);
const seed = Number(process.env['XENPT_FUZZ_SEED'] ?? 1);

const pool = [...recordedDevices().map(({ image }) => image), ...Object.values(hostileImages)];

function toText({ image, options, accesses }: FuzzCase): string {
  const resources = image.resources.map((one) => ({ ...one, start: `${one.start}`, sizeBytes: `${one.sizeBytes}` }));
  const config = Buffer.from(image.config).toString('hex');
  return JSON.stringify({ image: { ...image, config, resources }, options, accesses });
}

function fromText(text: string): FuzzCase {
  const { image, options, accesses } = JSON.parse(text) as FuzzCase & { image: { config: string } };
  const resources = (image.resources as unknown as Record<keyof Resource, never>[]).map((one) => ({
    ...(one as unknown as Resource),
    start: BigInt(one.start),
    sizeBytes: BigInt(one.sizeBytes),
  }));
  return {
    image: { ...image, config: Uint8Array.from(Buffer.from(image.config, 'hex')), resources },
    options,
    accesses,
  };
}

it('a case comes back from its text', () => {
  const one = nextCase(new Dice(7), pool);
  expect(fromText(toText(one))).toEqual(one);
});

it('what was once found is not found again', () => {
  mkdirSync(corpus, { recursive: true });
  const judge = new Judge();
  for (const file of readdirSync(corpus).filter((name) => name.endsWith('.json'))) {
    expect(judge.run(fromText(readFileSync(new URL(file, corpus), 'utf8'))), file).toBeNull();
  }
});

it(`${executions} cases from seed ${seed}: engine and oracle agree, nothing throws`, { timeout: 3_600_000 }, () => {
  const dice = new Dice(seed);
  const judge = new Judge();
  const findings: string[] = [];
  const started = performance.now();
  for (let execution = 0; execution < executions && findings.length < 10; execution += 1) {
    const one = nextCase(dice, pool);
    const difference = judge.run(one);
    if (difference === null) continue;
    findings.push(`execution ${execution}: ${difference}`);
    writeFileSync(new URL(`seed-${seed}-${execution}.json`, corpus), `${toText(one)}\n`);
  }
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`fuzz: ${executions} executions in ${seconds.toFixed(1)} s, ${findings.length} findings\n`);
  expect(findings).toEqual([]);
});
