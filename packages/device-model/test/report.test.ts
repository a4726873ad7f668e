import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogLimiter, defaultLogLimits } from '../src/report.js';

function setUp(limits = defaultLogLimits) {
  const lines: string[] = [];
  const clock = { nowMs: 0 };
  const limiter = new LogLimiter(
    (line) => lines.push(line),
    () => clock.nowMs,
    limits,
  );
  return { lines, clock, limiter };
}

describe('LogLimiter', () => {
  it('lets one line of a cause through per second, and counts the others', () => {
    const { lines, clock, limiter } = setUp();
    for (let index = 0; index < 50; index += 1) limiter.report('bind', `ENOSPC ${index}`);
    clock.nowMs = 1000;
    limiter.report('bind', 'ENOSPC again');
    expect(lines).toEqual(['bind: ENOSPC 0', 'bind: ENOSPC again (and 49 more)']);
  });

  it('lets ten lines through per second over all causes', () => {
    const { lines, limiter } = setUp();
    for (let index = 0; index < 50; index += 1) limiter.report(`cause ${index}`, 'x');
    expect(lines).toHaveLength(10);
  });

  it('never lets more than ten through in a second, wherever it begins, and loses count of none', () => {
    const pause = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(999), fc.constant(1000));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), pause), { maxLength: 300 }), (events) => {
        const { lines, clock, limiter } = setUp();
        const times: number[] = [];
        for (const [cause, pauseMs] of events) {
          clock.nowMs += pauseMs;
          limiter.report(`cause ${cause}`, 'x');
          while (times.length < lines.length) times.push(clock.nowMs);
        }
        for (const [index, time] of times.entries())
          expect((times[index + 10] ?? Infinity) - time).toBeGreaterThan(999);
        const told = lines.map((line) => 1 + Number(/and (\d+) more/.exec(line)?.[1] ?? 0));
        clock.nowMs += 60_000;
        for (let cause = 0; cause <= 30; cause += 1) {
          clock.nowMs += 1000;
          limiter.report(`cause ${cause}`, 'the last');
        }
        const rest = lines.slice(told.length).map((line) => Number(/and (\d+) more/.exec(line)?.[1] ?? 0));
        expect([...told, ...rest].reduce((sum, count) => sum + count, 0)).toBe(events.length);
      }),
    );
  });

  it('falls silent for good at its caps', () => {
    const { lines, clock, limiter } = setUp({ linesPerSecond: 10, linesPerCause: 3, totalCharacters: 60 });
    for (let second = 0; second < 100; second += 1) {
      clock.nowMs = second * 1000;
      limiter.report('a', 'x');
      limiter.report('b', 'y'.repeat(100));
    }
    expect(lines.filter((line) => line.startsWith('a'))).toHaveLength(3);
    expect(lines.join('').length).toBeLessThanOrEqual(60);
  });

  it('cuts a line that a stranger made long', () => {
    const { lines, limiter } = setUp();
    limiter.report('x', 'y'.repeat(10_000));
    expect(lines[0]?.length).toBeLessThan(600);
  });

  it('treats causes that are too many to be remembered as one', () => {
    const { lines, limiter } = setUp({ ...defaultLogLimits, linesPerSecond: 1000 });
    for (let index = 0; index < 1000; index += 1) limiter.report(`cause ${index}`, 'x');
    expect(lines).toHaveLength(257);
  });
});
