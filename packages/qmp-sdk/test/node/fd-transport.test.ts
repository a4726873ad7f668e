import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { canPassFds, connect } from '../../src/node/index.js';
import { FakeQmp } from '../../src/testing/index.js';
import { haveQemu, RealQemu } from './real-qemu.js';

const file = fileURLToPath(import.meta.url);

test.skipIf(!canPassFds())('the transport that passes descriptors does everything else too', async () => {
  await using qemu = await fakeOnSocket();
  await using client = await connect({ unix: qemu.unix }, { passFds: true });
  const replies = await Promise.all(
    Array.from({ length: 50 }, (_, value) => client.raw('x-echo', { value, t: 'ä😀' })),
  );
  expect(replies).toEqual(Array.from({ length: 50 }, (_, value) => ({ value, t: 'ä😀' })));
  const lost = client.raw('x-slow');
  qemu.fake.sessions[0]?.end();
  await expect(lost).rejects.toMatchObject({ code: 'QMP_CLOSED' });
  await expect(connect({ unix: `${qemu.unix}.not` }, { passFds: true, connectTimeoutMs: 30 })).rejects.toMatchObject({
    phase: 'dial',
    cause: { code: 'ENOENT' },
  });
});

async function fakeOnSocket() {
  const fake = new FakeQmp().on('x-echo', (args) => args).on('x-slow', () => new Promise(() => undefined));
  const folder = mkdtempSync(path.join(tmpdir(), 'qmp-fd-'));
  const unix = path.join(folder, 'qmp');
  await fake.listen({ unix });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { fake, unix, [Symbol.asyncDispose]: () => fake.close().finally(remove) };
}

describe.skipIf(!haveQemu || !canPassFds())('with QEMU', () => {
  test('a descriptor rides on its command, once, and stays open here', async () => {
    await using qemu = await new RealQemu().ready();
    await using client = await connect({ unix: qemu.socket() }, { passFds: true });
    const fd = openSync(file, 'r');
    await client.execute('getfd', { fdname: 'tap0' }, { fd });
    await expect(client.execute('getfd', { fdname: 'tap1' })).rejects.toThrow(/No file descriptor supplied/);
    await client.execute('closefd', { fdname: 'tap0' });
    expect(readFileSync(fd, 'utf8')).toContain('a descriptor rides on its command');
    closeSync(fd);
  });

  test('many at once, between other commands, each has its own', async () => {
    await using qemu = await new RealQemu().ready();
    await using client = await connect({ unix: qemu.socket() }, { passFds: true });
    const fd = openSync(file, 'r');
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, set) =>
        set % 2 === 0
          ? client.execute('add-fd', { 'fdset-id': set, opaque: `${set}` }, { fd })
          : client.execute('query-status'),
      ),
    );
    expect(results).toHaveLength(20);
    const sets = await client.execute('query-fdsets');
    expect(sets.map((set) => [set['fdset-id'], set.fds.map(({ opaque }) => opaque)]).sort()).toEqual(
      Array.from({ length: 10 }, (_, index) => [index * 2, [`${index * 2}`]]).sort(),
    );
    closeSync(fd);
  });
});
