import { afterEach, expect, test } from 'vitest';
import { measureDirtyRate } from '../../src/helpers/index.js';
import { monitorOf, type Monitored } from './monitor.js';

let open: Monitored | undefined;
afterEach(() => open?.close());

const measured = { status: 'measured', 'start-time': 1, 'calc-time': 1, 'sample-pages': 512, mode: 'page-sampling' };

test('arguments for old and new QEMUs, and the figures of each vCPU', async () => {
  const answers: object[] = [{ ...measured, status: 'measuring' }];
  const asked: unknown[] = [];
  open = await monitorOf((fake) =>
    fake
      .on('calc-dirty-rate', (args) => void asked.push(args))
      .on('query-dirty-rate', () => (answers.length > 1 ? answers.shift() : answers[0]) as typeof measured),
  );
  answers.push({ ...measured, 'dirty-rate': 7, 'vcpu-dirty-rate': [{ id: 0, 'dirty-rate': 3 }] });
  expect(await measureDirtyRate(open.client, { durationMs: 2000, samplePages: 256, pollIntervalMs: 5 })).toEqual({
    mebibytesPerSecond: 7,
    mode: 'page-sampling',
    durationMs: 2000,
    vcpus: [{ id: 0, mebibytesPerSecond: 3 }],
  });
  await measureDirtyRate(open.client, { durationMs: 150, pollIntervalMs: 5 });
  expect(asked).toEqual([
    { 'calc-time': 2, 'sample-pages': 256 },
    { 'calc-time': 150, 'calc-time-unit': 'millisecond' },
  ]);
});

test('a guest that stood still has no rate', async () => {
  open = await monitorOf((fake) =>
    fake
      .on('calc-dirty-rate', () => {})
      .on('query-dirty-rate', () => ({ ...measured, status: 'unstarted', 'dirty-rate': -1 })),
  );
  await expect(measureDirtyRate(open.client, { pollIntervalMs: 5 })).rejects.toMatchObject({
    code: 'QMP_NOT_MEASURED',
  });
});
