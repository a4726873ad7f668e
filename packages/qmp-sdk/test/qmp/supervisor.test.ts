import { expect, test } from 'vitest';
import { QmpClient } from '../../src/qmp/client.js';
import { supervise } from '../../src/qmp/supervisor.js';
import { FakeQmp } from '../../src/testing/index.js';

const fast = { minDelayMs: 1, maxDelayMs: 4 };

test('it keeps a session, tells of the gap, and repeats no command', async () => {
  const fakes: FakeQmp[] = [];
  const supervisor = supervise(
    () => {
      const fake = new FakeQmp().on('query-uuid', () => ({ UUID: fakes.length < 3 ? 'one' : 'two' }));
      fakes.push(fake.on('x-slow', () => new Promise(() => undefined)));
      return QmpClient.connect(fake.connect());
    },
    { ...fast, identify: async (client) => (await client.execute('query-uuid')).UUID },
  );
  const changes = supervisor.changes();
  const first = await supervisor.ready();
  expect((await changes.next()).value).toEqual({ type: 'connected', client: first });

  for (const sameInstance of [true, false]) {
    const client = await supervisor.ready();
    const lost = client.raw('x-slow');
    await new Promise((resolve) => setTimeout(resolve, 2));
    fakes.at(-1)?.sessions[0]?.end();
    await expect(lost).rejects.toMatchObject({ reason: 'eof', outcome: 'unknown' });
    const gap = (await changes.next()).value as { client: QmpClient; from: Date; to: Date };
    expect(gap).toMatchObject({ type: 'gap', sameInstance, closeInfo: { reason: 'eof' } });
    expect(gap.client).not.toBe(client);
    expect(gap.client).toBe(supervisor.current);
    expect(gap.to.getTime()).toBeGreaterThanOrEqual(gap.from.getTime());
  }
  const slow = fakes.flatMap(({ requests }) => requests.filter(({ execute }) => execute === 'x-slow'));
  expect(slow).toHaveLength(2);

  await supervisor.close();
  expect(await changes.next()).toEqual({ value: undefined, done: true });
  expect(supervisor.current).toBeUndefined();
  await expect(supervisor.ready()).rejects.toMatchObject({ code: 'QMP_CLOSED', reason: 'local' });
  expect(await supervisor.changes().next()).toMatchObject({ done: true });
});

test('nobody gets a session before it is in step; what fails is tried again', async () => {
  const failures: unknown[] = [];
  let attempts = 0;
  const synced: QmpClient[] = [];
  await using supervisor = supervise(
    () => {
      attempts += 1;
      if (attempts === 1) throw new Error('not there yet');
      return QmpClient.connect(new FakeQmp().connect());
    },
    {
      ...fast,
      onAttemptFailed: (error) => failures.push((error as Error).message),
      resync: async (client) => {
        await client.execute('query-status');
        if (attempts === 2) throw new Error('not in step');
        synced.push(client);
      },
    },
  );
  expect(await supervisor.ready()).toBe(synced[0]);
  expect(failures).toEqual(['not there yet', 'not in step']);
});

test('waiting can be given up, and the signal ends it all', async () => {
  const ending = new AbortController();
  const never = supervise(
    (signal) =>
      new Promise<QmpClient>((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended')))),
    { ...fast, signal: ending.signal },
  );
  await expect(never.ready({ signal: AbortSignal.timeout(1) })).rejects.toMatchObject({ name: 'AbortError' });
  const waiting = never.ready();
  ending.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'QMP_CLOSED' });
  await never.close();
});
