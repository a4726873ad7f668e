import { expect, test, vi } from 'vitest';
import { QmpClient } from '../../src/qmp/client.js';
import { QmpAbortedError, QmpConnectError, QmpMonitorBusyError } from '../../src/qmp/errors.js';
import type { QmpTransport, TransportSink } from '../../src/qmp/transport.js';
import { FakeQmp } from '../../src/testing/index.js';

/** A peer that says what it is told to and keeps what it is told. */
function peer(holder?: () => Promise<number | undefined>) {
  let sink: TransportSink | undefined;
  const state = { written: '', destroyed: 0 };
  const transport: QmpTransport = {
    description: 'unix:/run/vm.qmp',
    open: (opened) => (sink = opened),
    write: (text) => (state.written += text),
    end: () => undefined,
    destroy: () => (state.destroyed += 1),
    ...(holder === undefined ? {} : { holder }),
  };
  return { transport, state, say: (text: string) => sink?.data(text), end: () => sink?.closed('eof') };
}

/** What a reply to the negotiation has to say. */
const negotiationId = (written: string): string => /"id":(\d+)/.exec(written)?.[1] ?? '';

const greeting =
  '{"QMP": {"version": {"qemu": {"micro": 1, "minor": 0, "major": 9}}, "capabilities": ["oob", "z"]}}\r\n';

test('it takes what is offered and events at any time', async () => {
  const fake = new FakeQmp({ eventsBeforeGreeting: ['STOP'], eventsBeforeCapabilities: ['RESUME', 'STOP'] });
  await using client = await QmpClient.connect(fake.connect());
  expect(client.oobEnabled).toBe(true);
  expect(client.greeting).toEqual({
    version: { qemu: { major: 7, minor: 2, micro: 22 }, package: 'xenpt fake' },
    capabilities: ['oob'],
  });
  expect(client.stats.events).toBe(3);
});

test('oob: never does not ask for it, oob: require insists', async () => {
  const fake = new FakeQmp();
  await using client = await QmpClient.connect(fake.connect(), { oob: 'never' });
  expect(client.oobEnabled).toBe(false);
  expect(fake.requests).toEqual([{ execute: 'qmp_capabilities', id: expect.any(Number) as number }]);
  await expect(QmpClient.connect(new FakeQmp({ oob: false }).connect(), { oob: 'require' })).rejects.toMatchObject({
    code: 'QMP_CONNECT',
    phase: 'negotiate',
  });
});

test('without a greeting the monitor is busy; the holder is named where it is known', async () => {
  const fake = new FakeQmp();
  await using first = await QmpClient.connect(fake.connect());
  await expect(QmpClient.connect(fake.connect(), { connectTimeoutMs: 20 })).rejects.toMatchObject({
    code: 'QMP_MONITOR_BUSY',
    phase: 'greeting',
    holderPid: undefined,
  });
  const { transport, state } = peer(() => Promise.resolve(4711));
  const error = await QmpClient.connect(transport, { connectTimeoutMs: 5 }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(QmpMonitorBusyError);
  expect((error as Error).message).toBe(
    'unix:/run/vm.qmp: no greeting within 5 ms, the monitor is held by process 4711',
  );
  expect(state.destroyed).toBe(1);
  expect(fake.sessions).toHaveLength(1);
  await first.execute('query-status');
});

test('the next in the queue is served when the first one leaves', async () => {
  const fake = new FakeQmp();
  const first = await QmpClient.connect(fake.connect());
  const second = QmpClient.connect(fake.connect());
  await first.close();
  await using client = await second;
  expect(await client.execute('query-status')).toMatchObject({ running: true });
});

test.each([
  ['leaves', (it: ReturnType<typeof peer>) => it.end(), 'eof'],
  ['is no QMP server', (it: ReturnType<typeof peer>) => it.say('SSH-2.0-OpenSSH\r\n'), 'protocol'],
  ['answers what was not asked', (it: ReturnType<typeof peer>) => it.say('{"return": {}, "id": 0}\r\n'), 'protocol'],
])('a peer that %s before greeting', async (_, act, reason) => {
  const it = peer();
  const connecting = QmpClient.connect(it.transport);
  await vi.waitFor(() => act(it));
  const error = await connecting.catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(QmpConnectError);
  expect(error).toMatchObject({ phase: 'greeting', cause: { code: 'QMP_CLOSED', reason } });
  expect(it.state.destroyed).toBeGreaterThan(0);
});

test.each([
  'null',
  '[]',
  '{"version": 7}',
  '{"version": {"qemu": {"major": "7", "minor": 2, "micro": 0}}, "capabilities": []}',
  '{"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}}',
])('a greeting of %s is no greeting', async (text) => {
  const it = peer();
  const connecting = QmpClient.connect(it.transport);
  it.say(`{"QMP": ${text}}\r\n`);
  await expect(connecting).rejects.toMatchObject({ code: 'QMP_CONNECT', phase: 'greeting' });
});

test.each([
  ['a refusal', '{"error": {"class": "GenericError", "desc": "no"}, "id": ID}\r\n', 'QMP_COMMAND'],
  ['no reply', '', 'QMP_TIMEOUT'],
  ['an error without id', '{"error": {"class": "GenericError", "desc": "no"}}\r\n', 'QMP_CLOSED'],
])('%s to the negotiation is an error', async (_, reply, code) => {
  const it = peer();
  const connecting = QmpClient.connect(it.transport, { connectTimeoutMs: 50 });
  it.say(greeting);
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(it.state.written).toContain('"enable":["oob"]');
  it.say(reply.replace('ID', negotiationId(it.state.written)));
  await expect(connecting).rejects.toMatchObject({ code: 'QMP_CONNECT', phase: 'negotiate', cause: { code } });
});

test("replies to another client's commands are not taken for the negotiation's", async () => {
  const it = peer();
  const warned: string[] = [];
  const connecting = QmpClient.connect(it.transport, { onWarning: ({ kind }) => warned.push(kind) });
  it.say(greeting);
  await new Promise((resolve) => setTimeout(resolve, 0));
  it.say('{"error": {"class": "GenericError", "desc": "stale"}, "id": 0}\r\n{"return": {"stale": 1}}\r\n');
  it.say('{"return": {"stale": 2}, "id": 2020345856}\r\n{"return": {"stale": 3}, "id": "libvirt-7"}\r\n');
  it.say(`{"return": {}, "id": ${negotiationId(it.state.written)}}\r\n`);
  const client = await connecting;
  expect(warned).toEqual(Array.from({ length: 4 }, () => 'late-reply'));
  expect(client.stats.lateReplies).toBe(4);
  const value = client.raw('x-a', { value: 1 });
  await new Promise((resolve) => setTimeout(resolve, 0));
  it.say('{"return": "own", "id": 0}\r\n');
  expect(await value).toBe('own');
  // After the negotiation there is nothing left that could be another's.
  const other = client.raw('x-b');
  it.say('{"return": {}, "id": 2020345856}\r\n');
  await expect(other).rejects.toMatchObject({ cause: { kind: 'unknown-id' } });
});

test('the signal ends connecting at any time, and closes', async () => {
  const reason = new Error('no more');
  const early = peer();
  await expect(QmpClient.connect(early.transport, { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
    name: 'AbortError',
    cause: reason,
  });
  for (const said of ['', greeting]) {
    const controller = new AbortController();
    const it = peer();
    const connecting = QmpClient.connect(it.transport, { signal: controller.signal });
    it.say(said);
    await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort(reason);
    await expect(connecting).rejects.toBeInstanceOf(QmpAbortedError);
    expect(it.state.destroyed).toBe(1);
  }
});

test('a limit that makes no sense is refused at once', async () => {
  const fake = new FakeQmp();
  for (const options of [
    { maxInFlight: 0 },
    { maxMessageBytes: 1.5 },
    { commandTimeoutMs: NaN },
    { maxQueued: -1 },
  ]) {
    await expect(QmpClient.connect(fake.connect(), options)).rejects.toBeInstanceOf(RangeError);
  }
});
