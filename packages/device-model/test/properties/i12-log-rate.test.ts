import { expect, it } from 'vitest';
import { defaultLogLimits, LogLimiter } from '../../src/report.js';
import { runningRig } from '../support/full-card.js';
import { enableMsix, unmaskEntry } from '../support/messages.js';
import { home } from '../support/rig.js';

it('I12: a day of a guest whose every act fails is ten lines a second at most, and a megabyte in all', () => {
  const lines: { readonly atMs: number; readonly text: string }[] = [];
  let nowMs = 0;
  const limiter = new LogLimiter(
    (text) => lines.push({ atMs: nowMs, text }),
    () => nowMs,
  );
  const rig = runningRig();
  rig.reports.push = (...reports) => {
    for (const report of reports) limiter.report(report.split(':')[0] ?? '', report);
    return 0;
  };
  for (const call of ['mapMsi', 'mapMemory', 'claimMemory', 'mapPorts'] as const) {
    rig.hypervisor.failAt(call, 'ENOMEM', 1_000_000);
  }
  const guest = rig.guest();
  for (let round = 0; round < 3000; round += 1) {
    enableMsix(rig);
    unmaskEntry(rig, round % 5);
    guest.command(4);
    guest.placeBar(0, home.bar0 + 0x2_0000 * (round % 7));
    guest.command(7);
    nowMs += 86_400_000 / 3000 / (round % 2 === 0 ? 1 : 1e6);
  }
  // The clock stood nearly still in every other round.
  expect(lines.length).toBeGreaterThan(3);
  for (const { atMs } of lines) {
    const within = lines.filter((line) => line.atMs >= atMs && line.atMs < atMs + 1000);
    expect(within.length).toBeLessThanOrEqual(defaultLogLimits.linesPerSecond);
  }
  const characters = lines.reduce((sum, { text }) => sum + text.length, 0);
  expect(characters).toBeLessThanOrEqual(defaultLogLimits.totalCharacters);
  const causes = new Set(lines.map(({ text }) => text.split(':')[0]));
  expect(lines.length).toBeLessThanOrEqual(causes.size * defaultLogLimits.linesPerCause);
});
