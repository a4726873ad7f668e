import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QmpClient } from '../../src/qmp/client.js';
import { QmpError } from '../../src/qmp/errors.js';
import { FakeQmp, replyFaults, type Delivery } from '../../src/testing/index.js';

// What the other side may do, and what this side then does: one broken message ends the connection, with a reason;
// nothing hangs, nothing is taken for something else.

const faultOf = async (fake: FakeQmp, options = {}): Promise<unknown> => {
  const client = await QmpClient.connect(fake.connect(), options);
  const error: unknown = await client.execute('query-status').then(
    () => client.closed.then((info) => info.error),
    (reason: unknown) => reason,
  );
  return error;
};

describe('replies', () => {
  test.each([
    ['noId', 'no-id'],
    ['wrongId', 'unknown-id'],
    ['textId', 'no-id'],
    ['duplicate', 'unknown-id'],
  ] as const)('%s ends the connection', async (fault, kind) => {
    const error = await faultOf(new FakeQmp({ alterReply: replyFaults[fault] }), { omitLoneId: false });
    expect(error).toMatchObject({ code: 'QMP_CLOSED', reason: 'protocol', cause: { code: 'QMP_PROTOCOL', kind } });
  });

  test.each([
    ['wrongId', 'unknown-id'],
    ['textId', 'no-id'],
    ['duplicate', 'no-id'],
  ] as const)('%s of a command without id ends the connection', async (fault, kind) => {
    const error = await faultOf(new FakeQmp({ alterReply: replyFaults[fault] }));
    expect(error).toMatchObject({ code: 'QMP_CLOSED', reason: 'protocol', cause: { code: 'QMP_PROTOCOL', kind } });
  });

  test('a lost reply is a time-out', async () => {
    const client = await QmpClient.connect(new FakeQmp({ alterReply: replyFaults.lost }).connect());
    await expect(client.execute('stop', undefined, { timeoutMs: 5 })).rejects.toMatchObject({ code: 'QMP_TIMEOUT' });
    client.destroy();
  });

  test('the reply to an id that was given up is not taken for the next command', async () => {
    const fake = new FakeQmp({ alterReply: replyFaults.lost });
    await using client = await QmpClient.connect(fake.connect(), { drainTimeoutMs: 5, omitLoneId: false });
    await expect(client.raw('x-a', {}, { timeoutMs: 5 })).rejects.toMatchObject({ code: 'QMP_TIMEOUT' });
    const next = client.raw('x-b');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(fake.requests.at(-1)).toMatchObject({ id: 1 });
    fake.sessions[0]?.say({ return: 'a', id: 0 });
    fake.sessions[0]?.say({ return: 'b', id: 1 });
    expect(await next).toBe('b');
  });
});

describe('broken messages', () => {
  const nested = (depth: number): string => `{"return": ${'['.repeat(depth)}${']'.repeat(depth)}, "id": 0}`;

  test.each([
    ['no JSON', '{"return": }', 'syntax'],
    ['two messages in one line', '{"return": {}, "id": 0} {"return": {}, "id": 0}', 'syntax'],
    ['a number', '42', 'shape'],
    ['a list', '[]', 'shape'],
    ['null', 'null', 'shape'],
    ['an empty object', '{}', 'shape'],
    ['an object of nothing known', '{"__proto__": {"return": 1}, "id": 0}', 'shape'],
    ['result and error', '{"return": 1, "error": {"class": "a", "desc": "b"}, "id": 0}', 'shape'],
    ['an error of null', '{"error": null, "id": 0}', 'shape'],
    ['an error without text', '{"error": {"class": "GenericError"}, "id": 0}', 'shape'],
    ['an event without name', '{"event": 1}', 'shape'],
    ['an event with a list', '{"event": "STOP", "data": []}', 'shape'],
    ['an event of no time', '{"event": "STOP", "timestamp": null}', undefined],
    ['an event of strange time', '{"event": "STOP", "timestamp": {"seconds": "1"}}', 'shape'],
    ['no UTF-8', '{"return": "\xc3\x28", "id": 0}', 'encoding'],
    ['overlong UTF-8', '{"return": "\xc0\x80", "id": 0}', 'encoding'],
    ['deep nesting', nested(1024), 'nesting'],
    ['very deep nesting', nested(1_000_000), 'nesting'],
    ['an id of inf', '{"return": {}, "id": inf}', 'unknown-id'],
    ['an id beyond 2^53', '{"return": {}, "id": 9007199254740993}', 'no-id'],
    ['a negative id', '{"return": {}, "id": -1}', 'unknown-id'],
    ['an id between two', '{"return": {}, "id": 0.5}', 'unknown-id'],
  ])('%s', async (_, line, kind) => {
    const fake = new FakeQmp();
    const client = await QmpClient.connect(fake.connect());
    fake.sessions[0]?.raw(`${line}\r\n`);
    if (kind === undefined) {
      expect(await client.execute('query-status')).toMatchObject({ running: true });
      return client.close();
    }
    await expect(client.closed).resolves.toMatchObject({ reason: 'protocol', error: { cause: { kind } } });
    await expect(client.execute('stop')).rejects.toMatchObject({ code: 'QMP_CLOSED', sent: false });
  });

  test('a burst of errors without id ends it once', async () => {
    const fake = new FakeQmp();
    const client = await QmpClient.connect(fake.connect());
    const waiting = client.raw('x-any', { value: 1 });
    for (let count = 0; count < 5; count++) fake.sessions[0]?.say({ error: { class: 'GenericError', desc: 'JSON' } });
    await expect(waiting).rejects.toMatchObject({ cause: { kind: 'no-id' } });
  });

  test('nesting up to the limit, and the limit of 64 MiB', async () => {
    const fake = new FakeQmp();
    const client = await QmpClient.connect(fake.connect());
    const reply = client.raw('x-deep', { value: 1 });
    fake.sessions[0]?.raw(`${nested(1023)}\r\n`);
    await reply;
    const open = '{"return": "';
    fake.sessions[0]?.raw(open + 'x'.repeat((64 << 20) - open.length));
    fake.sessions[0]?.raw('x');
    await expect(client.closed).resolves.toMatchObject({
      reason: 'too-large',
      error: { cause: { kind: 'too-large' } },
    });
  });

  test('a message of 64 MiB is read', async () => {
    const fake = new FakeQmp({ alterReply: replyFaults.lost });
    await using client = await QmpClient.connect(fake.connect());
    const reply = client.raw<string>('x-large', { value: 1 });
    await new Promise((resolve) => setTimeout(resolve, 1));
    const [head, tail] = ['{"return": "', '", "id": 0}\r'];
    fake.sessions[0]?.raw(`${head}${'x'.repeat((64 << 20) - head.length - tail.length)}${tail}\n`);
    expect(await reply).toHaveLength((64 << 20) - head.length - tail.length);
  });

  test('__proto__ changes nobody', async () => {
    const fake = new FakeQmp({ alterReply: replyFaults.lost });
    await using client = await QmpClient.connect(fake.connect());
    const reply = client.raw<Record<string, unknown>>('x-proto', { value: 1 });
    await new Promise((resolve) => setTimeout(resolve, 1));
    fake.sessions[0]?.raw('{"return": {"__proto__": {"polluted": 1}, "big": 18446744073709551615}, "id": 0}\r\n');
    expect((await reply)['polluted']).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

test('the policy for integers can end the connection', async () => {
  const handler = () => ({ bandwidth: 2n ** 63n });
  const rounded = new FakeQmp().on('query-status', handler);
  await using client = await QmpClient.connect(rounded.connect(), { unsafeIntegers: 'number' });
  expect(await client.raw('query-status')).toEqual({ bandwidth: 2 ** 63 });
  const error = await faultOf(new FakeQmp().on('query-status', handler), { unsafeIntegers: 'error' });
  expect(error).toMatchObject({ cause: { kind: 'unsafe-integer' } });
});

test('a callback that throws ends the session as this side, not as a fault of QEMU', async () => {
  const fake = new FakeQmp();
  const client = await QmpClient.connect(fake.connect());
  client.events(undefined, {
    buffer: 1,
    onDropped: () => {
      throw new Error('mine');
    },
  });
  fake.emit('A');
  fake.emit('B');
  expect(await client.closed).toMatchObject({ reason: 'local', error: { cause: { message: 'mine' } } });
});

describe('floods', () => {
  test('a million events with a reader that does not read: memory stays, commands go on', async () => {
    const fake = new FakeQmp();
    await using client = await QmpClient.connect(fake.connect());
    using stream = client.events(undefined, { buffer: 100 });
    const event =
      '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "TICK", "data": {"text": "0123456789"}}\r\n';
    const thousand = event.repeat(1000);
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 1000; count++) {
      fake.sessions[0]?.raw(thousand);
      if (count % 50 === 49) await client.execute('query-status');
    }
    expect(client.stats).toMatchObject({ events: 1_000_000, droppedEvents: 999_900 });
    expect(stream.dropped).toBe(999_900);
    // A million events would be some 300 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 << 20);
  });

  test('many commands that are given up at once leave nothing behind', async () => {
    const fake = new FakeQmp({ alterReply: replyFaults.lost });
    const client = await QmpClient.connect(fake.connect());
    const controller = new AbortController();
    const all = Array.from({ length: 10_000 }, () => client.raw('x-slow', {}, { signal: controller.signal }));
    const settled = Promise.allSettled(all);
    await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    expect((await settled).every(({ status }) => status === 'rejected')).toBe(true);
    expect(client.stats).toMatchObject({ inFlight: 8, queued: 0 });
    client.destroy();
  });
});

test('however the stream is cut, every command has its own reply and every event comes once', async () => {
  const delivery: fc.Arbitrary<Delivery> = fc.oneof(
    fc.constantFrom('message', 'byte', 'coalesce'),
    fc.record({
      splitAt: fc.uniqueArray(fc.nat({ max: 120 }), { maxLength: 6 }).map((at) => at.sort((a, b) => a - b)),
    }),
  );
  await fc.assert(
    fc.asyncProperty(
      delivery,
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.nat({ max: 9 }), { maxLength: 20 }),
      async (...run) => {
        const [cut, pretty, oob, values] = run;
        const fake = new FakeQmp({ delivery: cut, pretty, oob, eventsBeforeCapabilities: ['EARLY'] });
        fake.on('x-echo', (args) => {
          fake.emit('ECHO', args);
          return args;
        });
        await using client = await QmpClient.connect(fake.connect());
        using stream = client.events();
        const replies = await Promise.all(values.map((value) => client.raw('x-echo', { value })));
        expect(replies).toEqual(values.map((value) => ({ value })));
        for (const value of values) expect((await stream.next()).value).toMatchObject({ data: { value } });
      },
    ),
    { numRuns: 60 },
  );
});

test('whatever the other side says, every command settles and the error is ours', async () => {
  const noise = fc.oneof(
    fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
    fc.json(),
    fc.constantFrom(
      '{"return": {}, "id": 0}',
      '{"return": {}, "id": 1}',
      '{"return": {}}',
      '{"error": {"class": "GenericError", "desc": "x"}, "id": 0}',
      '{"event": "STOP"}',
      '{"QMP": {}}',
      '{',
      '}',
    ),
  );
  const step = fc.tuple(noise, fc.constantFrom('\r\n', '\n', ''));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, half) => {
      const fake = new FakeQmp({ alterReply: replyFaults.lost });
      const client = await QmpClient.connect(fake.connect());
      const commands = [0, 1, 2].map(() => client.raw('x-any'));
      await new Promise((resolve) => setTimeout(resolve, 0));
      for (const [text, end] of steps) fake.sessions[0]?.raw(text + end);
      fake.sessions[0]?.[half ? 'end' : 'reset']();
      for (const outcome of await Promise.allSettled(commands)) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(QmpError);
      }
      await client.closed;
      expect(client.stats.queued).toBe(0);
    }),
    { numRuns: 300 },
  );
});

describe('without the id of a lone command', () => {
  test('it is left out when QEMU has nothing else, and the replies still find their command', async () => {
    let value = 0;
    const fake = new FakeQmp().on('x-next', () => ++value).on('query-yank', () => [], { oob: true });
    await using client = await QmpClient.connect(fake.connect());
    const next = () => client.raw('x-next');
    expect([await next(), await next()]).toEqual([1, 2]);
    const third = next();
    expect(await Promise.all([third, next(), client.oob('query-yank'), next()])).toEqual([3, 4, [], 5]);
    expect(fake.requests.slice(1).map((request) => 'id' in request)).toEqual([false, false, false, true, true, true]);
    await expect(client.raw('nope')).rejects.toMatchObject({ errorClass: 'CommandNotFound' });
  });

  test('what QEMU might not be able to read keeps its id: then an error without id ends the session', async () => {
    const fake = new FakeQmp().on('x-echo', (args) => args);
    const client = await QmpClient.connect(fake.connect());
    await client.raw('x-echo', { value: 1 });
    await expect(client.raw('x-"\\')).rejects.toMatchObject({ errorClass: 'CommandNotFound' });
    await client.raw('x-echo', {});
    expect(fake.requests.slice(1)).toEqual([
      { execute: 'x-echo', arguments: { value: 1 }, id: 0 },
      { execute: 'x-"\\', id: 0 },
      { execute: 'x-echo' },
    ]);
    fake.on('x-echo', () => new Promise(() => undefined));
    const waiting = client.raw('x-echo', { value: 2 });
    await new Promise((resolve) => setTimeout(resolve, 0));
    fake.sessions[0]?.say({ error: { class: 'GenericError', desc: 'JSON parse error' } });
    await expect(waiting).rejects.toMatchObject({ code: 'QMP_CLOSED', cause: { kind: 'no-id' } });
  });

  test('a late reply without id is not taken for the next command', async () => {
    const fake = new FakeQmp({ alterReply: replyFaults.lost });
    await using client = await QmpClient.connect(fake.connect(), { drainTimeoutMs: 5 });
    await expect(client.raw('x-a', {}, { timeoutMs: 5 })).rejects.toMatchObject({ code: 'QMP_TIMEOUT' });
    const next = client.raw('x-b');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(fake.requests.at(-1)).toMatchObject({ id: 1 });
    fake.sessions[0]?.say({ return: 'b', id: 1 });
    fake.sessions[0]?.say({ return: 'a' });
    expect(await next).toBe('b');
    const last = client.raw('x-c');
    await new Promise((resolve) => setTimeout(resolve, 5));
    fake.sessions[0]?.say({ return: 'c' });
    expect(await last).toBe('c');
    expect(client.stats.lateReplies).toBe(1);
  });

  test('the id that was not sent does not come back', async () => {
    const fake = new FakeQmp({ alterReply: (reply) => [{ ...reply, id: 0 }] });
    const client = await QmpClient.connect(fake.connect());
    await expect(client.raw('query-status')).rejects.toMatchObject({ cause: { kind: 'unknown-id' } });
  });
});

test('however commands are mixed and given up, each reply is that of its own command', async () => {
  // One command after the other, with or without arguments, in band or not, awaited or given up at once.
  const command = fc.record({
    withArguments: fc.boolean(),
    oob: fc.boolean(),
    fate: fc.constantFrom('await', 'abort', 'go on'),
    pauseMs: fc.constantFrom(undefined, 0, 1),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 30 }), fc.boolean(), async (commands, omitLoneId) => {
      const fake = new FakeQmp();
      const names = commands.map((_, index) => `x-${index}`);
      for (const name of names) {
        // Slow enough for the reply to come after its caller has given up.
        const answer = () => new Promise<string>((resolve) => setTimeout(() => resolve(name), 1));
        fake.on(name, answer, { oob: true });
      }
      await using client = await QmpClient.connect(fake.connect(), { omitLoneId });
      const replies = [];
      for (const [index, { withArguments, oob, fate, pauseMs }] of commands.entries()) {
        const controller = new AbortController();
        const options = { oob, signal: controller.signal };
        const reply = client.raw(`x-${index}`, withArguments ? { index } : {}, options).then(
          (value) => expect(value).toBe(`x-${index}`),
          (error: unknown) => expect([fate, (error as QmpError).code]).toEqual(['abort', 'QMP_ABORTED']),
        );
        replies.push(reply);
        if (fate === 'await') await reply;
        if (pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        if (fate === 'abort') controller.abort();
      }
      await Promise.all(replies);
      expect(client.closeInfo).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});
