import { expect, it } from 'vitest';
import { LogLimiter } from '../../src/report.js';
import { runningRig } from '../support/full-card.js';
import { controls, enableMsi } from '../support/messages.js';

it('XSA-43: a guest that repeats a failing enable writes no more of the log than its share', () => {
  const rig = runningRig();
  rig.hypervisor.failAt('mapMsi', 'ENOSPC', 1000);
  for (let round = 0; round < 1000; round += 1) {
    enableMsi(rig);
    rig.guest().writeConfig(controls.msi, 0, 2);
  }
  expect(rig.device.msiEnabled).toBe(false);
  const lines: string[] = [];
  const limiter = new LogLimiter(
    (line) => lines.push(line),
    () => 0,
  );
  for (const report of rig.reports) limiter.report(report.split(':')[0] ?? '', report);
  expect(rig.reports.length).toBeGreaterThan(100);
  expect(lines.length).toBeLessThanOrEqual(10);
});
