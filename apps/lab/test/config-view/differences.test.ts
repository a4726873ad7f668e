import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  compareObservations,
  judgeDifferences,
  mergeDifferences,
  type ExplainedDifference,
  type FoundDifference,
} from '../../src/config-view/differences.js';

const value = fc.constantFrom('0x00', '0x01', '0xff');
const difference: fc.Arbitrary<FoundDifference> = fc
  .record({
    host: fc.constantFrom('a', 'b'),
    device: fc.constantFrom('x', 'y'),
    offset: fc.constantFrom(0, 4, 0x3c),
    access: fc.constantFrom('read, 1', '1s, 4', '0 alone'),
    qemu: value,
    ours: value,
  })
  .map((one) => ({ ...one, register: `at ${one.offset}` }));
const findings = fc.uniqueArray(difference, {
  selector: ({ host, device, offset, access }) => [host, device, offset, access].join(),
});

const explained = (found: readonly FoundDifference[]): ExplainedDifference[] =>
  mergeDifferences(found).map((line) => ({ ...line, reason: 'safer', why: 'because' }));
const pairs = ['a', 'b'].flatMap((host) => ['x', 'y'].map((device) => [host, device] as const));

function verdicts(found: readonly FoundDifference[], table: readonly ExplainedDifference[]) {
  return pairs.map(([host, device]) => {
    const here = found.filter((one) => one.host === host && one.device === device);
    return judgeDifferences(host, device, here, table);
  });
}

it('a table made of what was found explains all of it, and nothing else', () => {
  fc.assert(
    fc.property(findings, (found) => {
      for (const verdict of verdicts(found, explained(found)))
        expect(verdict).toEqual({ unexplained: [], outdated: [] });
    }),
  );
});

it('a difference more is unexplained, a difference less is outdated', () => {
  fc.assert(
    fc.property(findings, fc.nat(), (found, choice) => {
      fc.pre(found.length > 0);
      const without = found.filter((_, index) => index !== choice % found.length);
      const more = verdicts(found, explained(without));
      expect(more.flatMap(({ unexplained }) => unexplained)).toHaveLength(1);
      expect(more.flatMap(({ outdated }) => outdated)).toEqual([]);
      const less = verdicts(without, explained(found));
      expect(less.flatMap(({ outdated }) => outdated)).toHaveLength(1);
      expect(less.flatMap(({ unexplained }) => unexplained)).toEqual([]);
    }),
  );
});

it('only what differs is a difference; what one of them does not show is one', () => {
  const seen = (access: string, text: string) => ({ register: 'r', offset: 8, access, value: text });
  expect(compareObservations([seen('a', '1'), seen('b', '2')], [seen('a', '1'), seen('c', '3')])).toEqual([
    { register: 'r', offset: 8, access: 'b', qemu: '2', ours: '–' },
    { register: 'r', offset: 8, access: 'c', qemu: '–', ours: '3' },
  ]);
});
