import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Entry {
  readonly id: string;
  readonly what: string;
  readonly test: string;
  readonly mutants: readonly { readonly file: string; readonly changes: readonly (readonly [string, string])[] }[];
}

const packageRoot = new URL('../../', import.meta.url);
const repositoryRoot = new URL('../../', packageRoot);
const list = JSON.parse(readFileSync(new URL('proofs.json', import.meta.url), 'utf8')) as readonly Entry[];

/**
 * Properties of configuration space, messages, requests, attach and detach, xenstore; advisories in which the first
 * three were the way in.
 */
const properties = [
  ...Array.from({ length: 18 }, (_, index) => `C${index + 1}`),
  ...Array.from({ length: 16 }, (_, index) => `M${index + 1}`),
  ...Array.from({ length: 12 }, (_, index) => `I${index + 1}`),
  ...Array.from({ length: 10 }, (_, index) => `L${index + 1}`),
  ...Array.from({ length: 6 }, (_, index) => `X${index + 1}`),
];
const advisories = [
  ...[43, 120, 121, 126, 128, 129, 130, 131, 157, 164, 199, 237, 239, 337, 449, 464],
  // Assignment, IOMMU, the toolstack's part, of class A and B: of these the fault is Xen's own, and ours to survive.
  ...[160, 302, 306, 368, 461, 476],
  ...[72, 115, 154, 206, 322, 326, 378, 386, 389, 400, 417, 418, 419, 420, 421, 460, 481, 483, 484],
].map((n) => `XSA-${n}`);

/** Judged by a comparison of everything, not by a test of its own. */
const isWhole = (id: string) => ['matrix', 'sequences', 'fuzz of lives'].includes(id) || id.startsWith('kernel: ');

const urlOf = (path: string): URL => new URL(path, path.startsWith('packages/') ? repositoryRoot : packageRoot);
const read = (path: string): string => readFileSync(urlOf(path), 'utf8');

it('every property and every advisory is in the list, once', () => {
  const required = [...properties, ...advisories];
  const missing = required.filter((id) => list.filter((entry) => entry.id === id).length !== 1);
  const covered = required.length - missing.length;
  process.stdout.write(
    `coverage: ${covered} of ${required.length} (${Math.floor((100 * covered) / required.length)} %)\n`,
  );
  expect(missing).toEqual([]);
});

it('every test of the four folders is in the list', () => {
  const sdk = 'packages/qmp-sdk/test/xen/';
  for (const folder of ['test/properties/', 'test/advisories/', `${sdk}properties/`, `${sdk}advisories/`]) {
    const tests = readdirSync(urlOf(folder)).filter((file) => file.endsWith('.test.ts'));
    for (const file of tests) expect(list.map(({ test }) => test)).toContain(`${folder}${file}`);
  }
});

describe.each(list)('$id', ({ id, test, mutants }) => {
  it('has a test, of its own name unless it is a comparison of everything', () => {
    expect(existsSync(urlOf(test))).toBe(true);
    if (!isWhole(id)) expect(read(test)).toContain(`'${id}: `);
  });

  it('has a fault to find, which can be put into the source as it is now', () => {
    expect(mutants.length).toBeGreaterThan(0);
    for (const { file, changes } of mutants) {
      for (const [find] of changes) expect(read(file), file).toContain(find);
    }
  });
});
