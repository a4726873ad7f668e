import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startJob } from '../../src/helpers/index.js';
import { connect } from '../../src/node/connect.js';
import { loadSchema } from '../../src/schema/schema.js';
import { labCache, mustHaveQemus, whyNoQemu } from '../support/programs.js';

// QEMU's block layer without a machine: the same protocol, and a part of the commands.

const root = join(labCache, 'qemus/bookworm/usr');
const libraries = join(root, 'lib/x86_64-linux-gnu');
const commands = [
  ['qemu-storage-daemon'],
  [join(libraries, 'ld-linux-x86-64.so.2'), '--library-path', libraries, join(root, 'bin/qemu-storage-daemon')],
] as const;
const command = commands.find(([file, ...args]) => spawnSync(file, [...args, '--version']).status === 0);

if (command === undefined && mustHaveQemus) test('a storage daemon', () => expect.fail(whyNoQemu));

describe.skipIf(command === undefined)('a real storage daemon', () => {
  // A client that comes while the daemon starts is greeted, and then on a busy machine now and then not heard.
  test('is a server like any other: typed commands, jobs, its own schema', { retry: 2 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'xenpt-storage-'));
    const unix = join(folder, 'qmp');
    const chardev = ['--chardev', `socket,id=qmp,path=${unix},server=on,wait=off`, '--monitor', 'chardev=qmp'];
    const [file, ...args] = command ?? commands[0];
    const daemon = spawn(file, [...args, ...chardev], { stdio: 'ignore' });
    try {
      await using client = await connect({ unix }, { connectTimeoutMs: 10_000 });
      for (const name of ['source', 'target']) {
        await client.execute('blockdev-add', { driver: 'null-co', 'node-name': name, size: 1 << 20 });
      }
      const backup = { device: 'source', target: 'target', sync: 'full' } as const;
      await (
        await startJob(client, 'blockdev-backup', backup)
      ).done;
      const nodes = await client.execute('query-named-block-nodes');
      expect(nodes.map((node) => node['node-name']).sort()).toEqual(['source', 'target']);
      const schema = await loadSchema(client);
      expect([schema.has('blockdev-add'), schema.has('device_add')]).toEqual([true, false]);
      await client.quit();
      expect(await client.closed).toMatchObject({ reason: 'quit' });
    } finally {
      daemon.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
