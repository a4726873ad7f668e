import { afterEach, expect, test } from 'vitest';
import { startJob } from '../../src/helpers/index.js';
import { FakeError, type FakeQmp } from '../../src/testing/index.js';
import { monitorOf, type Monitored } from './monitor.js';

interface Job {
  status: string;
  error?: string;
  progress?: number;
}
let open: Monitored | undefined;
afterEach(() => open?.close());

/** A QEMU with at most one job, whose life is `live`. */
async function withJob(live: (fake: FakeQmp, job: Job, id: string) => void, onCancel?: (job: Job) => void) {
  let current: (Job & { id: string }) | undefined;
  const start = (fake: FakeQmp) => (args: { [name: string]: unknown }) => {
    current = { id: String(args['job-id']), status: 'running' };
    live(fake, current, current.id);
  };
  open = await monitorOf((fake) =>
    fake
      .on('blockdev-backup', start(fake))
      .on('blockdev-create', start(fake))
      .on('query-jobs', () =>
        current
          ? [
              {
                id: current.id,
                type: 'backup',
                status: current.status,
                'current-progress': current.progress ?? 0,
                'total-progress': 10,
                ...(current.error === undefined ? {} : { error: current.error }),
              },
            ]
          : [],
      )
      .on('job-dismiss', () => (current = undefined))
      .on('job-cancel', () => {
        if (!current) throw new FakeError('GenericError', 'Job not found');
        onCancel?.(current);
      }),
  );
  return open;
}

const args = { device: 'a', target: 'b', sync: 'full' } as const;

test('a whole life before the reply: the error is kept, the job dismissed', async () => {
  const { client, fake } = await withJob((qemu, job, id) => {
    for (const status of ['created', 'running', 'aborting', 'concluded'])
      qemu.emit('JOB_STATUS_CHANGE', { id, status });
    Object.assign(job, { status: 'concluded', error: 'No space left on device' });
  });
  const job = await startJob(client, 'blockdev-backup', args);
  await expect(job.done).rejects.toMatchObject({
    code: 'QMP_JOB_FAILED',
    message: `job ${job.id} failed: No space left on device`,
  });
  const [started] = fake.requests.filter(({ execute }) => execute === 'blockdev-backup');
  expect(started?.['arguments']).toMatchObject({ 'auto-dismiss': false, 'job-id': job.id });
  expect(fake.requests.at(-1)).toMatchObject({ execute: 'job-dismiss', arguments: { id: job.id } });
});

test('without a single event it ends by looking', async () => {
  const { client } = await withJob((_qemu, job) => {
    setTimeout(() => Object.assign(job, { status: 'concluded', progress: 10 }), 30);
  });
  const job = await startJob(
    client,
    'blockdev-create',
    { options: { driver: 'file', filename: 'x', size: 1 } },
    { pollIntervalMs: 10 },
  );
  const seen: string[] = [];
  for await (const { status } of job.progress()) seen.push(status);
  await job.done;
  expect(new Set(seen)).toEqual(new Set(['running', 'concluded']));
});

test('events of other jobs and devices are nobody’s', async () => {
  const { client } = await withJob((qemu, job) => {
    qemu.emit('JOB_STATUS_CHANGE', { id: 'other', status: 'null' });
    qemu.emit('BLOCK_JOB_COMPLETED', { device: 'other', type: 'backup', len: 1, offset: 1, speed: 0 });
    setTimeout(() => Object.assign(job, { status: 'concluded' }), 30);
  });
  const job = await startJob(client, 'blockdev-backup', args, { pollIntervalMs: 10 });
  await job.done;
});

test('what a job says last decides when it is dismissed by somebody else', async () => {
  const vanish = (words: object) => (qemu: FakeQmp, _job: Job, id: string) =>
    void setTimeout(() => {
      qemu.emit('BLOCK_JOB_COMPLETED', { device: id, type: 'backup', len: 1, offset: 1, speed: 0, ...words });
      qemu.emit('JOB_STATUS_CHANGE', { id, status: 'null' });
    }, 10);
  const good = await withJob(vanish({}));
  await (
    await startJob(good.client, 'blockdev-backup', args)
  ).done;
  await good.close();
  const bad = await withJob(vanish({ error: 'Input/output error' }));
  await expect((await startJob(bad.client, 'blockdev-backup', args)).done).rejects.toMatchObject({
    code: 'QMP_JOB_FAILED',
    message: expect.stringContaining('Input/output error') as string,
  });
});

test('a cancel that comes too late changes nothing', async () => {
  const { client } = await withJob((_qemu, job) => void setTimeout(() => (job.status = 'concluded'), 20));
  const job = await startJob(client, 'blockdev-backup', args, { pollIntervalMs: 10 });
  await job.done;
  await job.cancel();
  await job.done;
});

test('a cancelled job keeps what QEMU said', async () => {
  const { client } = await withJob(
    () => {},
    (job) => Object.assign(job, { status: 'concluded', error: 'Operation canceled' }),
  );
  const job = await startJob(client, 'blockdev-backup', args, { pollIntervalMs: 10 });
  await job.cancel(new Error('changed my mind'));
  await expect(job.done).rejects.toMatchObject({
    code: 'QMP_JOB_CANCELLED',
    message: expect.stringContaining('Operation canceled') as string,
    cause: { message: 'changed my mind' },
  });
});

test('nonsense instead of a list of jobs', async () => {
  open = await monitorOf((fake) => fake.on('blockdev-backup', () => {}).on('query-jobs', () => 'none'));
  const job = await startJob(open.client, 'blockdev-backup', args, { pollIntervalMs: 10 });
  await expect(job.done).rejects.toMatchObject({ code: 'QMP_UNEXPECTED_RESULT' });
});
