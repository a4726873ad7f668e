import { expect, test } from 'vitest';
import { acceptMigration, getMigrationCapabilities, quit, startMigration } from '../../src/helpers/index.js';
import { QmpClosedError, QmpTimeoutError } from '../../src/qmp/errors.js';
import { describeQemus, Qemu } from '../support/qemu.js';

// Firmware writes to its memory: enough to migrate, and it starts at once. 64 KiB/s makes it last.
const machine = ['-machine', 'pc', '-m', '64', '-device', 'VGA'];
const slowly = { parameters: { 'max-bandwidth': 64 * 1024 } } as const;

describeQemus('live migration between two QEMUs', (program) => {
  const start = (args: readonly string[]) => new Qemu(args, { program });

  test('with progress, a pause before the switch-over, and both sides told', async () => {
    await using source = start(machine);
    await using destination = start([...machine, '-incoming', 'defer']);
    const uri = `unix:${source.path('migration')}`;
    await using from = await source.connect();
    await using to = await destination.connect();
    const incoming = await acceptMigration(to, { uri });
    const paused: string[] = [];
    const migration = await startMigration(
      from,
      { uri },
      {
        pollIntervalMs: 50,
        beforeSwitchover: async ({ status }) => {
          paused.push(status, (await from.execute('query-status')).status);
        },
      },
    );
    const seen = [];
    for await (const progress of migration.progress()) seen.push(progress);
    const last = await migration.done;
    await incoming.done;
    expect(paused).toEqual(['pre-switchover', 'finish-migrate']);
    expect(seen.at(-1)).toEqual(last);
    expect(last).toMatchObject({ status: 'completed', remainingBytes: 0 });
    expect(last.transferredBytes).toBeGreaterThan(64 * 1024);
    expect(last.totalBytes).toBeGreaterThanOrEqual(64 * 1024 * 1024);
    expect((await from.execute('query-status')).status).toBe('postmigrate');
    expect((await to.execute('query-status')).running).toBe(true);
    await quit(from);
    await source.ended;
  });

  test('a cancel: the guest runs on, the settings are as before, and it can be tried again', async () => {
    await using source = start(machine);
    await using destination = start([...machine, '-incoming', `unix:{}/migration`]);
    await using from = await source.connect();
    await using to = await destination.connect();
    const before = await getMigrationCapabilities(from);
    const uri = `unix:${destination.path('migration')}`;
    const controller = new AbortController();
    const migration = await startMigration(from, { uri }, { ...slowly, signal: controller.signal });
    for await (const { status } of migration.progress()) {
      if (status === 'active') break;
    }
    controller.abort(new Error('not now'));
    await expect(migration.done).rejects.toMatchObject({
      code: 'QMP_MIGRATION_CANCELLED',
      cause: { message: 'not now' },
    });
    expect((await from.execute('query-status')).status).toBe('running');
    expect(await getMigrationCapabilities(from)).toEqual(before);
    expect((await from.execute('query-migrate-parameters'))['max-bandwidth']).toBeGreaterThan(64 * 1024);
    await to.closed;
  });

  test('what rejects in the pause cancels', async () => {
    await using source = start(machine);
    await using destination = start([...machine, '-incoming', `unix:{}/migration`]);
    await using from = await source.connect();
    await using to = await destination.connect();
    const beforeSwitchover = () => Promise.reject(new Error('the disk is not ready'));
    const migration = await startMigration(
      from,
      { uri: `unix:${destination.path('migration')}` },
      { beforeSwitchover },
    );
    await expect(migration.done).rejects.toMatchObject({
      code: 'QMP_MIGRATION_CANCELLED',
      cause: { message: 'the disk is not ready' },
    });
    expect((await from.execute('query-status')).status).toBe('running');
    await to.closed;
  });

  test('a failed one carries QEMU’s own words; a bad one is refused', async () => {
    await using source = start(machine);
    await using from = await source.connect();
    const outcome = startMigration(from, { uri: 'unix:/nonexistent/socket' }).then((migration) => migration.done);
    await expect(outcome).rejects.toMatchObject({
      message: expect.stringContaining('No such file or directory') as string,
    });
    await expect(startMigration(from, { uri: 'carrier-pigeon:home' })).rejects.toMatchObject({ code: 'QMP_COMMAND' });
    await using destination = start([...machine, '-incoming', `unix:{}/migration`]);
    await using to = await destination.connect();
    const migration = await startMigration(from, { uri: `unix:${destination.path('migration')}` }, slowly);
    for await (const { status } of migration.progress()) {
      if (status === 'active') break;
    }
    destination.process.kill('SIGKILL');
    await expect(migration.done).rejects.toMatchObject({
      code: 'QMP_MIGRATION_FAILED',
      message: expect.stringMatching(
        /the migration failed: .*(Broken pipe|reset by peer|Unable to write|Input\/output)/,
      ) as string,
    });
    await to.closed;
    expect((await from.execute('query-status')).running).toBe(true);
  });

  test('SIGSTOP and SIGKILL of the source in the middle', async () => {
    await using source = start(machine);
    await using destination = start([...machine, '-incoming', `unix:{}/migration`]);
    await using to = await destination.connect();
    await using from = await source.connect({ commandTimeoutMs: 1000 });
    const uri = `unix:${destination.path('migration')}`;
    const stopped = await startMigration(from, { uri }, { ...slowly, pollIntervalMs: 100 });
    for await (const { status } of stopped.progress()) {
      if (status === 'active') break;
    }
    await source.freeze();
    await expect(stopped.done).rejects.toBeInstanceOf(QmpTimeoutError);
    source.process.kill('SIGCONT');
    source.process.kill('SIGKILL');
    await expect(from.closed).resolves.toMatchObject({ reason: expect.stringMatching(/eof|reset/) as string });
    await expect(startMigration(from, { uri })).rejects.toBeInstanceOf(QmpClosedError);
    await to.closed;
  });

  test('SIGSTOP of the destination: it can still be cancelled, and the guest runs on', async () => {
    await using source = start(machine);
    await using destination = start([...machine, '-incoming', `unix:{}/migration`]);
    await using from = await source.connect();
    await (await destination.connect()).close();
    const uri = `unix:${destination.path('migration')}`;
    const migration = await startMigration(from, { uri }, { ...slowly, pollIntervalMs: 100 });
    for await (const { status } of migration.progress()) {
      if (status === 'active') break;
    }
    await destination.freeze();
    await migration.cancel();
    await expect(migration.done).rejects.toMatchObject({ code: 'QMP_MIGRATION_CANCELLED' });
    expect((await from.execute('query-status')).running).toBe(true);
  });

  test('SIGKILL of the source while it migrates: the migration says that the connection is gone', async () => {
    await using source = start(machine);
    await using destination = start([...machine, '-incoming', `unix:{}/migration`]);
    await using from = await source.connect();
    // Before it greets it may not listen yet.
    await using to = await destination.connect();
    const uri = `unix:${destination.path('migration')}`;
    const migration = await startMigration(from, { uri }, { ...slowly, pollIntervalMs: 100 });
    for await (const { status } of migration.progress()) {
      if (status === 'active') break;
    }
    source.process.kill('SIGKILL');
    await expect(migration.done).rejects.toBeInstanceOf(QmpClosedError);
    await to.closed;
  });
});
