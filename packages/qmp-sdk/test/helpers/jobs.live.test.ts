import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deleteSnapshot, followJob, loadSnapshot, saveSnapshot, startJob } from '../../src/helpers/index.js';
import type { QmpClient } from '../../src/qmp/client.js';
import { QmpClosedError, QmpTimeoutError } from '../../src/qmp/errors.js';
import { describeQemus, Qemu } from '../support/qemu.js';

const MiB = 1024 * 1024;

describeQemus('jobs of a real QEMU', (program) => {
  let qemu: Qemu;
  let client: QmpClient;

  beforeAll(async () => {
    qemu = new Qemu(['-machine', 'pc', '-m', '16'], { program });
    client = await qemu.connect();
    await client.raw('blockdev-add', {
      driver: 'null-co',
      'node-name': 'source',
      size: 64 * MiB,
      'read-zeroes': true,
    });
    await client.raw('blockdev-add', { driver: 'null-co', 'node-name': 'target', size: 64 * MiB });
  });
  afterAll(async () => {
    await client?.close();
    await qemu?.[Symbol.asyncDispose]();
  });

  const backup = (options: { speed?: number; id?: string; signal?: AbortSignal; pollIntervalMs?: number } = {}) => {
    const { speed, ...rest } = options;
    return startJob(
      client,
      'blockdev-backup',
      { device: 'source', target: 'target', sync: 'full', ...(speed === undefined ? {} : { speed }) },
      rest,
    );
  };

  test('a job runs to its end, tells its progress, and is gone', async () => {
    const job = await backup();
    const seen = [];
    for await (const progress of job.progress()) seen.push(progress);
    await job.done;
    expect(seen.at(-1)).toEqual({ status: 'concluded', current: 64 * MiB, total: 64 * MiB });
    expect(await client.execute('query-jobs')).toEqual([]);
  });

  test('a job that fails at once keeps its error', async () => {
    const job = await startJob(client, 'blockdev-create', {
      options: { driver: 'file', filename: '/nonexistent/folder/image', size: MiB },
    });
    await expect(job.done).rejects.toMatchObject({
      code: 'QMP_JOB_FAILED',
      jobId: job.id,
      message: expect.stringContaining('No such file or directory') as string,
    });
    expect(await client.execute('query-jobs')).toEqual([]);
  });

  test('a command that is refused starts no job', async () => {
    const refused = startJob(client, 'block-stream', { device: 'nosuch' });
    await expect(refused).rejects.toMatchObject({ code: 'QMP_COMMAND', command: 'block-stream' });
  });

  test('a job that makes a file; a second job on the same id is refused while the first is there', async () => {
    const filename = qemu.path('new.qcow2');
    const options = { driver: 'file', filename, size: MiB } as const;
    await (
      await startJob(client, 'blockdev-create', { options })
    ).done;
    expect(statSync(filename).size).toBe(MiB);
    const slow = await backup({ speed: MiB, id: 'one' });
    await expect(backup({ id: 'one' })).rejects.toMatchObject({ code: 'QMP_COMMAND' });
    await slow.cancel();
    await expect(slow.done).rejects.toMatchObject({ code: 'QMP_JOB_CANCELLED' });
  });

  test('an abort cancels; leaving the scope cancels', async () => {
    const controller = new AbortController();
    const job = await backup({ speed: MiB, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(job.done).rejects.toMatchObject({ code: 'QMP_JOB_CANCELLED', cause: { message: 'enough' } });
    {
      await using scoped = await backup({ speed: MiB });
      expect(await client.execute('query-jobs')).toMatchObject([{ id: scoped.id }]);
    }
    expect(await client.execute('query-jobs')).toEqual([]);
  });

  test('a mirror is ready, and completes when told', async () => {
    await using job = await startJob(
      client,
      'blockdev-mirror',
      { device: 'source', target: 'target', sync: 'full' },
      { pollIntervalMs: 100 },
    );
    for await (const { status } of job.progress()) {
      if (status === 'ready') break;
    }
    await job.complete();
    await job.done;
  });

  test('a job that dismisses itself is told by its last words', async () => {
    const id = 'brief';
    const job = followJob(client, id, { pollIntervalMs: 5000 });
    await client.raw('blockdev-backup', { 'job-id': id, device: 'source', target: 'target', sync: 'full' });
    await job.done;
    const nothing = followJob(client, 'never-there', { pollIntervalMs: 20 });
    await expect(nothing.done).rejects.toMatchObject({ code: 'QMP_JOB_VANISHED' });
  });

  test('snapshots: saved, loaded, deleted; a bad node is the job’s error', async () => {
    const filename = qemu.path('snapshots.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', filename, '64M']);
    const file = { driver: 'file', filename } as const;
    await client.raw('blockdev-add', { driver: 'qcow2', 'node-name': 'snap', file });
    const options = { tag: 'one', vmstate: 'snap', devices: ['snap'] };
    await (
      await saveSnapshot(client, options)
    ).done;
    const [block] = await client
      .execute('query-named-block-nodes')
      .then((nodes) => nodes.filter((node) => node['node-name'] === 'snap'));
    expect(block?.image.snapshots).toMatchObject([{ name: 'one' }]);
    await client.execute('stop');
    await (
      await loadSnapshot(client, options)
    ).done;
    await client.execute('cont');
    await (
      await deleteSnapshot(client, options)
    ).done;
    await expect(
      (await deleteSnapshot(client, { ...options, tag: 'two', devices: ['nosuch'] })).done,
    ).rejects.toMatchObject({
      code: 'QMP_JOB_FAILED',
    });
  });

  test('SIGSTOP in the middle: QEMU does not answer', async () => {
    await using other = await qemu.connect({ monitor: 'second.qmp', commandTimeoutMs: 500 });
    const job = await backup({ speed: MiB });
    const following = followJob(other, job.id, { pollIntervalMs: 100 });
    await qemu.freeze();
    await expect(following.done).rejects.toBeInstanceOf(QmpTimeoutError);
    qemu.process.kill('SIGCONT');
    await job.cancel();
    await expect(job.done).rejects.toMatchObject({ code: 'QMP_JOB_CANCELLED' });
  });

  test('SIGKILL in the middle: the connection is gone', async () => {
    const job = await backup({ speed: MiB });
    qemu.process.kill('SIGKILL');
    await expect(job.done).rejects.toBeInstanceOf(QmpClosedError);
  });
});
