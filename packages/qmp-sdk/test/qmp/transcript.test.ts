import { expect, test } from 'vitest';
import { QmpClient } from '../../src/qmp/client.js';
import { jsonlTranscript, parseTranscript } from '../../src/qmp/transcript.js';
import { FakeQmp } from '../../src/testing/index.js';

/** What a session with these commands leaves in its transcript. */
async function recorded(commands: readonly [string, Record<string, string | bigint>?][], redact: string[] = []) {
  const lines: string[] = [];
  let now = 1000;
  const transcript = jsonlTranscript((line) => lines.push(line), { redact, now: () => (now += 0.5) });
  const fake = new FakeQmp();
  for (const [command] of commands) fake.on(command, (args) => args);
  await using client = await QmpClient.connect(fake.connect(), { transcript });
  for (const [command, args] of commands) await client.raw(command, args);
  return lines;
}

test('everything said is a line, in order, with its time', async () => {
  const lines = await recorded([['x-echo', { size: 2n ** 64n }]]);
  expect(lines.slice(3)).toEqual([
    '{"t":2,"dir":">","msg":{"execute":"x-echo","arguments":{"size":18446744073709551616},"id":0}}\n',
    '{"t":2.5,"dir":"<","msg":{"return":{"size":18446744073709551616},"id":0}}\n',
  ]);
  expect(lines[0]).toContain('"dir":"<","msg":{"QMP"');
  expect(parseTranscript(lines.join(''))[3]).toEqual({
    t: 2,
    dir: '>',
    msg: { execute: 'x-echo', arguments: { size: 2n ** 64n }, id: 0 },
  });
});

test('secrets are never written down, ids of secrets are', async () => {
  const secret = 'correct horse';
  const lines = await recorded(
    [
      ['set_password', { protocol: 'vnc', password: secret }],
      ['object-add', { 'qom-type': 'secret', id: 'sec0', data: secret }],
      ['blockdev-add', { driver: 'luks', 'key-secret': 'sec0', Cookie: secret }],
      ['human-monitor-command', { 'command-line': `set_password vnc ${secret}` }],
      ['qom-set', { path: '/objects/sec0', property: 'data', value: secret }],
      ['x-mine', { 'my-own': secret }],
    ],
    ['My-Own'],
  );
  const sent = lines.filter((line) => line.includes('"dir":">"')).join('');
  expect(sent).not.toContain(secret);
  expect(sent.match(/"\*\*\*"/g)).toHaveLength(6);
  expect(sent).toContain('"key-secret":"sec0"');
});

test('what is no transcript is refused', () => {
  expect(() => parseTranscript('{"t":0,"dir":"?","msg":{}}')).toThrow(TypeError);
  expect(() => parseTranscript('\n\nnull')).toThrow('line 1');
  expect(() => parseTranscript('{"t":')).toThrow(/not JSON/);
});
