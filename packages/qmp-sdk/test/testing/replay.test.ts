import { expect, test } from 'vitest';
import { QmpClient } from '../../src/qmp/client.js';
import { jsonlTranscript } from '../../src/qmp/transcript.js';
import { FakeQmp } from '../../src/testing/index.js';
import { connect } from '../../src/node/index.js';
import { haveQemu, RealQemu } from '../node/real-qemu.js';

/** What every session here says, and what comes of it. */
async function converse(client: QmpClient): Promise<unknown[]> {
  using stream = client.events();
  const said: unknown[] = [client.greeting, await client.execute('query-status')];
  await client.execute('cont');
  said.push(((await stream.next()).value as { event: string }).event, await client.execute('query-status'));
  said.push(await client.execute('device_del', { id: 'none' }).catch((error: unknown) => (error as Error).message));
  said.push(await client.execute('query-chardev'));
  await client.quit();
  return said;
}

const lines: string[] = [];
const recorder = () => jsonlTranscript((line) => lines.push(line));

test('a session with the fake, replayed, is the same session', async () => {
  lines.length = 0;
  const fake = new FakeQmp({ running: false, version: [9, 1, 0] }).on('query-chardev', () => []);
  const expected = await converse(await QmpClient.connect(fake.connect(), { transcript: recorder() }));
  for (const match of ['sequence', 'command', 'command+args'] as const) {
    const replayed = FakeQmp.fromTranscript(lines.join(''), { match });
    expect(await converse(await QmpClient.connect(replayed.connect()))).toEqual(expected);
  }
});

test.skipIf(!haveQemu)('a session with QEMU, replayed, is the same session', async () => {
  lines.length = 0;
  await using qemu = await new RealQemu().ready();
  const expected = await converse(await connect({ unix: qemu.socket() }, { transcript: recorder() }));
  expect(expected[2]).toBe('RESUME');
  const replayed = FakeQmp.fromTranscript(lines.join(''));
  expect(await converse(await QmpClient.connect(replayed.connect()))).toEqual(expected);
});

test('what was not recorded is refused, a command that was never answered is not answered', async () => {
  const transcript = [
    '{"t":0,"dir":"<","msg":{"QMP":{"version":{"qemu":{"micro":0,"minor":0,"major":8}},"capabilities":[]}}}',
    '{"t":1,"dir":">","msg":{"execute":"first","id":0}}',
    '{"t":2,"dir":"<","msg":{"return":1,"id":0}}',
    '{"t":3,"dir":">","msg":{"execute":"never","arguments":{"a":1},"id":0}}',
  ].join('\n');
  const session = (match: 'sequence' | 'command' | 'command+args') =>
    QmpClient.connect(FakeQmp.fromTranscript(transcript, { match }).connect());
  await using loose = await session('command+args');
  expect(loose.greeting.version.qemu.major).toBe(8);
  expect([await loose.raw('first'), await loose.raw('first')]).toEqual([1, 1]);
  await expect(loose.raw('never', { a: 2 })).rejects.toMatchObject({ errorClass: 'GenericError' });
  await using byName = await session('command');
  const options = { timeoutMs: 5 };
  await expect(byName.raw('never', { a: 2 }, options)).rejects.toMatchObject({ code: 'QMP_TIMEOUT' });
  byName.destroy();
  await using strict = await session('sequence');
  await expect(strict.raw('never', { a: 1 })).rejects.toThrow(/no answer to never/);
  expect(await strict.raw('first')).toBe(1);
});
