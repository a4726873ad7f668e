import { describe, expect, test, vi } from 'vitest';
import { QmpClient } from '../../src/qmp/client.js';
import {
  isCommandError,
  QmpAbortedError,
  QmpArgumentError,
  QmpCommandError,
  QmpQueueFullError,
  QmpTimeoutError,
  QmpUnsupportedError,
} from '../../src/qmp/errors.js';
import type { QmpWarning } from '../../src/qmp/options.js';
import { FakeError, FakeQmp } from '../../src/testing/index.js';
import { gate, settle } from './gate.js';

const idsOf = (fake: FakeQmp): unknown[] => fake.requests.map((request) => request['id']);
describe('commands', () => {
  test('a command has its reply, and is as short as it can be', async () => {
    const fake = new FakeQmp().on('query-name', () => ({ name: 'vm1' }));
    await using client = await QmpClient.connect(fake.connect());
    expect(await client.execute('query-name')).toEqual({ name: 'vm1' });
    expect(client.stats.bytesWritten).toBe(
      '{"execute":"qmp_capabilities","arguments":{"enable":["oob"]},"id":123456789}{"execute":"query-name"}'.length,
    );
  });

  test('who awaits each reply always has id 0, or none; callers at once share 0 to 7, but for the first', async () => {
    const fake = new FakeQmp().on('x-echo', (args) => args);
    await using client = await QmpClient.connect(fake.connect());
    for (let value = 0; value < 3; value++) await client.raw('x-echo', { value });
    await client.execute('query-status');
    await Promise.all(Array.from({ length: 50 }, () => client.execute('query-status')));
    expect(idsOf(fake).slice(1, 5)).toEqual([0, 0, 0, undefined]);
    expect(new Set(idsOf(fake).slice(5))).toEqual(new Set([undefined, 0, 1, 2, 3, 4, 5, 6, 7]));
  });

  test('one at a time, callers at once need no id either', async () => {
    const fake = new FakeQmp().on('x-echo', (args) => args);
    await using client = await QmpClient.connect(fake.connect(), { maxInFlight: 1 });
    const values = [1, 2, 3].map((value) => client.raw('x-echo', { value }));
    const queries = Array.from({ length: 8 }, () => client.execute('query-status'));
    expect(await Promise.all(values)).toEqual([{ value: 1 }, { value: 2 }, { value: 3 }]);
    await Promise.all(queries);
    expect(idsOf(fake).slice(1)).toEqual([0, 0, 0, ...Array.from({ length: 8 }, () => undefined)]);
  });

  test('replies find their command in whatever order they come', async () => {
    const fake = new FakeQmp({ alterReply: () => [] });
    await using client = await QmpClient.connect(fake.connect());
    const values = [1, 2, 3].map((value) => client.raw('x-echo', { value }));
    await settle();
    for (const id of [2, 0, 1]) fake.sessions[0]?.say({ return: { id }, id });
    expect(await Promise.all(values)).toEqual([{ id: 0 }, { id: 1 }, { id: 2 }]);
  });

  test('QEMU has eight at most, the rest waits here and in order', async () => {
    const { handler, open, waiting } = gate();
    const fake = new FakeQmp().on('x-slow', handler);
    await using client = await QmpClient.connect(fake.connect());
    const all = Array.from({ length: 20 }, (_, index) => client.raw('x-slow', { index }));
    await settle();
    expect(client.stats).toMatchObject({ inFlight: 8, queued: 12 });
    expect(fake.requests).toHaveLength(1 + 8);
    for (let done = 0; done < 20; done++) {
      await vi.waitFor(() => expect(waiting()).toBe(1));
      open();
    }
    await Promise.all(all);
    expect(fake.requests.slice(1).map((request) => request['arguments'])).toEqual(
      Array.from({ length: 20 }, (_, index) => ({ index })),
    );
  });

  test('out of band overtakes eight that hang', async () => {
    const { handler, open } = gate();
    const fake = new FakeQmp().on('x-slow', handler).on('query-yank', () => [], { oob: true });
    await using client = await QmpClient.connect(fake.connect());
    const slow = Array.from({ length: 12 }, () => client.raw('x-slow'));
    await settle();
    expect(await client.oob('query-yank')).toEqual([]);
    expect(client.stats.inFlight).toBe(8);
    for (let done = 0; done < 12; done++) {
      open();
      await settle();
    }
    await Promise.all(slow);
  });

  test('out of band is refused here when it is not negotiated', async () => {
    const fake = new FakeQmp({ oob: false });
    await using client = await QmpClient.connect(fake.connect());
    expect(client.oobEnabled).toBe(false);
    await expect(client.oob('query-yank')).rejects.toBeInstanceOf(QmpUnsupportedError);
    expect(fake.requests).toHaveLength(1);
  });

  test('an error reply says class, text and command, hides the arguments, and leads to the caller', async () => {
    const fake = new FakeQmp().on('device_del', () => {
      throw new FakeError('DeviceNotFound', "Device 'nic0' not found");
    });
    await using client = await QmpClient.connect(fake.connect());
    const callerOfDeviceDel = async () => {
      await client.execute('device_del', { id: 'nic0' });
    };
    const error = await callerOfDeviceDel().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(QmpCommandError);
    expect(error).toMatchObject({
      code: 'QMP_COMMAND',
      errorClass: 'DeviceNotFound',
      desc: "Device 'nic0' not found",
      command: 'device_del',
      request: { id: 'nic0' },
    });
    expect(Object.keys(error as object)).not.toContain('request');
    expect((error as Error).stack).toContain('callerOfDeviceDel');
    expect(isCommandError(error, 'DeviceNotFound') && !isCommandError(error, 'GenericError')).toBe(true);
    expect(await client.execute('query-status')).toMatchObject({ status: 'running' });
  });

  test('arguments that can not be sent reject, and the session goes on', async () => {
    const fake = new FakeQmp();
    await using client = await QmpClient.connect(fake.connect());
    await expect(client.raw('x-set', { size: NaN })).rejects.toBeInstanceOf(QmpArgumentError);
    await expect(client.execute('stop', undefined, { fd: 0 })).rejects.toBeInstanceOf(QmpArgumentError);
    await expect(client.execute('getfd', { fdname: 'a' }, { fd: 0 })).rejects.toBeInstanceOf(QmpUnsupportedError);
    await client.execute('query-status');
    expect(fake.requests).toHaveLength(2);
  });

  test('big integers arrive and leave with every digit, other languages as they are', async () => {
    const fake = new FakeQmp().on('x-echo', (args) => args);
    await using client = await QmpClient.connect(fake.connect());
    const args = { size: 2n ** 64n - 1n, name: 'größe 文件 😀 \u0000\x7f' };
    expect(await client.raw('x-echo', args)).toEqual(args);
    expect(fake.requests[1]?.['arguments']).toEqual(args);
  });

  test('the queue is bounded', async () => {
    const fake = new FakeQmp().on('x-slow', gate().handler);
    const client = await QmpClient.connect(fake.connect(), { maxInFlight: 1, maxQueued: 2 });
    const all = [0, 1].map(() => client.raw('x-slow').catch(() => undefined));
    await settle();
    all.push(client.raw('x-slow').catch(() => undefined));
    await expect(client.raw('x-slow')).rejects.toBeInstanceOf(QmpQueueFullError);
    client.destroy();
    await Promise.all(all);
  });
});

describe('giving up', () => {
  test('what is still queued was not sent, what is sent has an unknown outcome and keeps its id', async () => {
    const { handler, open } = gate();
    const warnings: QmpWarning[] = [];
    const fake = new FakeQmp().on('x-slow', handler);
    const options = { maxInFlight: 1, onWarning: (warning: QmpWarning) => warnings.push(warning) };
    await using client = await QmpClient.connect(fake.connect(), options);
    const [first, second] = [new AbortController(), new AbortController()];
    const sent = client.raw('x-slow', {}, { signal: first.signal });
    const queued = client.raw('x-slow', {}, { signal: second.signal });
    await settle();
    second.abort(new Error('no more'));
    await expect(queued).rejects.toMatchObject({ name: 'AbortError', sent: false, outcome: 'not-sent' });
    first.abort();
    await expect(sent).rejects.toMatchObject({ code: 'QMP_ABORTED', sent: true, outcome: 'unknown' });
    expect(client.stats).toMatchObject({ inFlight: 1, queued: 0, lateReplies: 0 });

    const next = client.execute('query-status');
    await settle();
    expect(fake.requests).toHaveLength(2);
    open();
    expect(await next).toMatchObject({ status: 'running' });
    expect(client.stats).toMatchObject({ inFlight: 0, lateReplies: 1 });
    expect(warnings).toEqual([expect.objectContaining({ kind: 'late-reply', command: 'x-slow' })]);
  });

  test('an aborted signal sends nothing; the reason is the cause', async () => {
    const fake = new FakeQmp();
    await using client = await QmpClient.connect(fake.connect());
    const reason = new Error('changed my mind');
    const error = await client.execute('stop', {}, { signal: AbortSignal.abort(reason) }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(QmpAbortedError);
    expect(error).toMatchObject({ cause: reason, sent: false });
    expect(fake.requests).toHaveLength(1);
  });

  test('a signal that outlives its command is let go', async () => {
    const fake = new FakeQmp();
    await using client = await QmpClient.connect(fake.connect());
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, 'removeEventListener');
    await client.execute('query-status', undefined, { signal });
    expect(removed).toHaveBeenCalledTimes(1);
  });

  test('time-outs count from execute, each for itself; a late reply is dropped', async () => {
    const { handler, open } = gate();
    const fake = new FakeQmp().on('x-slow', handler);
    await using client = await QmpClient.connect(fake.connect(), { commandTimeoutMs: 60_000 });
    const patient = client.raw('x-slow');
    const hasty = client.raw('x-slow', {}, { timeoutMs: 20 });
    const hastier = client.raw('x-slow', {}, { timeoutMs: 5 });
    await expect(hastier).rejects.toBeInstanceOf(QmpTimeoutError);
    await expect(hasty).rejects.toMatchObject({ code: 'QMP_TIMEOUT', timeoutMs: 20, sent: true, outcome: 'unknown' });
    for (let reply = 0; reply < 3; reply++) {
      open();
      await settle();
    }
    expect(await patient).toEqual({});
    expect(client.stats.lateReplies).toBe(2);
  });

  test('no time-out and very long ones do not fire at once', async () => {
    const { handler, open } = gate();
    const fake = new FakeQmp().on('x-slow', handler);
    await using client = await QmpClient.connect(fake.connect());
    const all = [Infinity, 2 ** 40].map((timeoutMs) => client.raw('x-slow', {}, { timeoutMs }));
    await settle();
    open();
    await settle();
    open();
    expect(await Promise.all(all)).toEqual([{}, {}]);
  });

  test('a slow command and a large request are reported', async () => {
    const { handler, open } = gate();
    const warnings: QmpWarning[] = [];
    const fake = new FakeQmp().on('x-slow', handler);
    const options = { slowWarningMs: 1, onWarning: (warning: QmpWarning) => warnings.push(warning) };
    await using client = await QmpClient.connect(fake.connect(), options);
    const slow = client.raw('x-slow', { data: 'x'.repeat(70_000) });
    await vi.waitFor(() => expect(warnings.map(({ kind }) => kind)).toEqual(['large-request', 'slow-command']));
    open();
    await slow;
  });
});
