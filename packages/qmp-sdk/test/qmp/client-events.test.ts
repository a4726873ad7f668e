import { describe, expect, test, vi } from 'vitest';
import { QmpClient } from '../../src/qmp/client.js';
import type { QmpEvent } from '../../src/qmp/command-map.js';
import { QmpAbortedError, QmpClosedError } from '../../src/qmp/errors.js';
import { FakeQmp, replyFaults } from '../../src/testing/index.js';
import { gate, settle } from './gate.js';

describe('events', () => {
  test('a subscription starts at once and keeps order; others do not see what they did not ask for', async () => {
    const fake = new FakeQmp();
    await using client = await QmpClient.connect(fake.connect());
    using stops = client.events('STOP');
    using both = client.events(['STOP', 'RESUME'], { where: ({ event }) => event !== 'STOP' });
    using all = client.events();
    await client.execute('stop');
    await client.execute('cont');
    fake.emit('X_UNHEARD_OF', { a: 1 });
    expect((await stops.next()).value).toMatchObject({ event: 'STOP', data: undefined });
    expect((await both.next()).value).toMatchObject({ event: 'RESUME' });
    const names: string[] = [];
    for await (const { event } of all) if (names.push(event) === 3) break;
    expect(names).toEqual(['STOP', 'RESUME', 'X_UNHEARD_OF']);
    expect(client.lastEvent).toMatchObject({ event: 'X_UNHEARD_OF', data: { a: 1 } });
  });

  test('they are DOM events too', async () => {
    const fake = new FakeQmp();
    await using client = await QmpClient.connect(fake.connect());
    const seen: QmpEvent[] = [];
    const listener = (event: CustomEvent<QmpEvent>): void => void seen.push(event.detail);
    client.addEventListener('STOP', listener);
    await client.execute('stop');
    client.removeEventListener('STOP', listener);
    await client.execute('cont');
    await client.execute('stop');
    expect(seen).toEqual([expect.objectContaining({ event: 'STOP' })]);
  });

  test('a subscriber that does not read costs its buffer, and is told', async () => {
    const fake = new FakeQmp();
    await using client = await QmpClient.connect(fake.connect());
    let told = 0;
    using oldest = client.events(undefined, { buffer: 3, onDropped: (count) => (told += count) });
    using newest = client.events(undefined, { buffer: 3, overflow: 'drop-newest' });
    using strict = client.events(undefined, { buffer: 3, overflow: 'error' });
    for (let index = 0; index < 10; index++) fake.emit('TICK', { index });
    await client.execute('query-status');
    const read = async (stream: typeof oldest): Promise<unknown[]> => {
      const indexes: unknown[] = [];
      for (let count = 0; count < 3; count++) indexes.push(((await stream.next()).value as QmpEvent).data);
      return indexes;
    };
    expect(await read(oldest)).toEqual([{ index: 7 }, { index: 8 }, { index: 9 }]);
    expect(await read(newest)).toEqual([{ index: 0 }, { index: 1 }, { index: 2 }]);
    expect(await read(strict)).toEqual([{ index: 0 }, { index: 1 }, { index: 2 }]);
    await expect(strict.next()).rejects.toMatchObject({ code: 'QMP_EVENT_OVERFLOW' });
    expect([oldest.dropped, newest.dropped, told]).toEqual([7, 7, 7]);
    expect(client.stats).toMatchObject({ events: 10, droppedEvents: 15 });
  });

  test('expect can not miss an event that comes before the reply', async () => {
    const fake = new FakeQmp();
    await using client = await QmpClient.connect(fake.connect());
    const stopped = await client.expect('STOP', undefined, { after: () => client.execute('stop') });
    expect(stopped.event).toBe('STOP');
    const resumed = client.expect(['STOP', 'RESUME'], ({ event }) => event === 'RESUME');
    await client.execute('cont');
    expect((await resumed).event).toBe('RESUME');
  });

  test('expect fails as what it waits for fails', async () => {
    const fake = new FakeQmp();
    await using client = await QmpClient.connect(fake.connect());
    await expect(client.expect('STOP', undefined, { after: () => client.raw('nope') })).rejects.toMatchObject({
      errorClass: 'CommandNotFound',
    });
    await expect(client.expect('STOP', undefined, { timeoutMs: 5 })).rejects.toMatchObject({
      code: 'QMP_TIMEOUT',
      command: 'waiting for STOP',
    });
    await expect(client.expect('STOP', undefined, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(
      QmpAbortedError,
    );
    const faulty = client.expect('STOP', () => {
      throw new RangeError('mine');
    });
    const signal = new AbortController();
    const aborted = client.expect('x-never', undefined, { signal: signal.signal });
    fake.emit('STOP');
    await expect(faulty).rejects.toThrow('mine');
    signal.abort();
    await expect(aborted).rejects.toBeInstanceOf(QmpAbortedError);
    const lost = client.expect('STOP');
    fake.sessions[0]?.end();
    await expect(lost).rejects.toMatchObject({ code: 'QMP_CLOSED', reason: 'eof' });
    await expect(client.expect('STOP')).rejects.toMatchObject({ reason: 'eof' });
  });

  test('a predicate that throws ends its own stream only', async () => {
    const fake = new FakeQmp();
    await using client = await QmpClient.connect(fake.connect());
    using faulty = client.events('STOP', {
      where: () => {
        throw new RangeError('mine');
      },
    });
    await client.execute('stop');
    await expect(faulty.next()).rejects.toThrow('mine');
    expect(await faulty.next()).toEqual({ value: undefined, done: true });
    await client.execute('query-status');
  });

  test('a signal, close and leaving the loop end a stream', async () => {
    const fake = new FakeQmp();
    await using client = await QmpClient.connect(fake.connect());
    const { signal, abort } = ((controller) => ({
      signal: controller.signal,
      abort: () => controller.abort(),
    }))(new AbortController());
    const [one, two, three] = [client.events(undefined, { signal }), client.events(), client.events()];
    const waiting = [one.next(), two.next()];
    abort();
    two.close();
    await three.return?.();
    expect(await Promise.all([...waiting, three.next()])).toEqual(
      new Array(3).fill({ value: undefined, done: true }),
    );
    expect(await client.events(undefined, { signal }).next()).toMatchObject({ done: true });
  });
});

describe('the end', () => {
  test.each(['eof', 'reset'] as const)('%s: everything that waits fails and says why', async (reason) => {
    const fake = new FakeQmp().on('x-slow', gate().handler);
    const client = await QmpClient.connect(fake.connect(), { maxInFlight: 1 });
    fake.emit('STOP');
    const stream = client.events('STOP');
    await client.execute('query-status');
    const sent = client.raw('x-slow');
    const queued = client.raw('x-slow');
    await settle();
    fake.sessions[0]?.[reason === 'eof' ? 'end' : 'reset']();
    await expect(sent).rejects.toMatchObject({ code: 'QMP_CLOSED', reason, sent: true, outcome: 'unknown' });
    await expect(queued).rejects.toMatchObject({ reason, sent: false, lastEvent: { event: 'STOP' } });
    await expect(client.execute('stop')).rejects.toMatchObject({ reason, sent: false });
    expect(await stream.next()).toMatchObject({ value: { event: 'STOP' } });
    await expect(stream.next()).rejects.toBeInstanceOf(QmpClosedError);
    expect(await stream.next()).toMatchObject({ done: true });
    expect(await client.closed).toMatchObject({ reason, lastEvent: { event: 'STOP' } });
    expect(client.closeInfo).toBe(await client.closed);
    await client.close();
  });

  test('an end in the middle of a message says so', async () => {
    const fake = new FakeQmp();
    const client = await QmpClient.connect(fake.connect());
    fake.sessions[0]?.raw('{"return": {"sta');
    fake.sessions[0]?.end();
    expect((await client.closed).error).toMatchObject({ reason: 'eof', cause: { kind: 'truncated' } });
  });

  test('close lets out what was accepted, takes nothing new, and can be called twice', async () => {
    const { handler, open } = gate();
    const fake = new FakeQmp().on('x-slow', handler);
    const client = await QmpClient.connect(fake.connect(), { maxInFlight: 1, drainTimeoutMs: 60_000 });
    const accepted = [client.raw('x-slow'), client.raw('x-slow')];
    const closing = client.close();
    await expect(client.raw('x-slow')).rejects.toMatchObject({ reason: 'local', sent: false });
    for (let reply = 0; reply < 2; reply++) {
      await settle();
      open();
    }
    expect(await Promise.all(accepted)).toEqual([{}, {}]);
    await Promise.all([closing, client.close()]);
    expect(client.closeInfo).toMatchObject({ reason: 'local' });
    await vi.waitFor(() => expect(fake.sessions).toHaveLength(0));
  });

  test('close does not wait for ever', async () => {
    const fake = new FakeQmp().on('x-slow', gate().handler);
    const client = await QmpClient.connect(fake.connect());
    const stuck = client.raw('x-slow');
    const stream = client.events();
    await settle();
    await Promise.all([
      expect(stuck).rejects.toMatchObject({ reason: 'local' }),
      client.close({ drainTimeoutMs: 5 }),
    ]);
    expect(await stream.next()).toMatchObject({ done: true });
  });

  test('quit resolves on its reply and on an end without one', async () => {
    for (const alterReply of [(reply: object) => [reply as never], replyFaults.lost]) {
      const fake = new FakeQmp({ alterReply });
      const client = await QmpClient.connect(fake.connect());
      const stream = client.events('SHUTDOWN');
      await client.quit();
      expect(await client.closed).toMatchObject({ reason: 'quit', lastEvent: { event: 'SHUTDOWN' } });
      expect(await stream.next()).toMatchObject({ done: false });
      expect(await stream.next()).toMatchObject({ done: true });
    }
  });

  test('others that wait while QEMU quits fail', async () => {
    const fake = new FakeQmp().on('query-yank', gate().handler, { oob: true });
    const client = await QmpClient.connect(fake.connect());
    const lost = expect(client.oob('query-yank')).rejects.toMatchObject({ reason: 'quit', sent: true });
    await client.execute('quit');
    await lost;
  });
});
