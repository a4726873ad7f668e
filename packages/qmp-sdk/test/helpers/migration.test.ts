import { afterEach, expect, test } from 'vitest';
import { acceptMigration, startMigration } from '../../src/helpers/index.js';
import { FakeError } from '../../src/testing/index.js';
import { monitorOf, type Monitored } from './monitor.js';

let open: Monitored | undefined;
afterEach(() => open?.close());

/** A QEMU that says the given statuses one after the other, and no event. */
async function withStatuses(statuses: readonly (string | object)[]) {
  const left = [...statuses];
  const settings = { capabilities: { events: false, xbzrle: true } as Record<string, boolean>, bandwidth: 1000 };
  open = await monitorOf((fake) =>
    fake
      .on('query-migrate-capabilities', () =>
        Object.entries(settings.capabilities).map(([capability, state]) => ({ capability, state })),
      )
      .on('migrate-set-capabilities', ({ capabilities }) => {
        for (const { capability, state } of capabilities as { capability: string; state: boolean }[]) {
          if (!(capability in settings.capabilities)) throw new FakeError('GenericError', 'no such capability');
          settings.capabilities[capability] = state;
        }
      })
      .on('query-migrate-parameters', () => ({ 'max-bandwidth': settings.bandwidth, 'tls-creds': '' }))
      .on('migrate-set-parameters', (args) => void (settings.bandwidth = Number(args['max-bandwidth'])))
      .on('migrate', () => {})
      .on('migrate-incoming', () => {})
      .on('migrate_cancel', () => void left.splice(0, left.length, 'cancelling', 'cancelled'))
      .on('query-migrate', () => {
        const status = left.length > 1 ? left.shift() : left[0];
        return typeof status === 'string' ? { status } : { ...status };
      }),
  );
  return { ...open, settings };
}
const fast = { pollIntervalMs: 5 };

test('without a single event it ends by looking, and the settings stay', async () => {
  const { client, settings } = await withStatuses(['setup', 'active', 'completed']);
  const migration = await startMigration(client, { uri: 'tcp:b:1' }, { ...fast, parameters: { 'max-bandwidth': 5 } });
  const seen: string[] = [];
  for await (const { status } of migration.progress()) seen.push(status);
  expect((await migration.done).status).toBe('completed');
  expect(seen.at(-1)).toBe('completed');
  expect(settings).toEqual({ capabilities: { events: true, xbzrle: true }, bandwidth: 5 });
});

test('a failed one carries its reason and puts the settings back', async () => {
  const { client, settings } = await withStatuses([
    'active',
    { status: 'failed', 'error-desc': 'Connection refused' },
  ]);
  const options = { ...fast, capabilities: { xbzrle: false }, parameters: { 'max-bandwidth': 5 } };
  const migration = await startMigration(client, { uri: 'tcp:b:1' }, options);
  await expect(migration.done).rejects.toMatchObject({
    code: 'QMP_MIGRATION_FAILED',
    message: 'the migration failed: Connection refused',
    info: { status: 'failed' },
  });
  expect(settings).toEqual({ capabilities: { events: false, xbzrle: true }, bandwidth: 1000 });
});

test('a setting that QEMU does not know: nothing is changed, nothing started', async () => {
  const { client, settings, fake } = await withStatuses(['active']);
  const options = { capabilities: { xbzrle: false, warp: true } };
  await expect(startMigration(client, { uri: 'tcp:b:1' }, options)).rejects.toMatchObject({ code: 'QMP_COMMAND' });
  expect(settings.capabilities).toEqual({ events: false, xbzrle: true });
  expect(fake.requests.map(({ execute }) => execute)).not.toContain('migrate');
});

test('leaving the scope cancels and waits', async () => {
  const { client, fake } = await withStatuses(['active']);
  {
    await using migration = await startMigration(client, { uri: 'tcp:b:1' }, fast);
    expect(migration.done).toBeInstanceOf(Promise);
  }
  expect(fake.requests.map(({ execute }) => execute)).toContain('migrate_cancel');
});

test('on the destination an abort ends the waiting only', async () => {
  const { client, fake } = await withStatuses(['setup']);
  const controller = new AbortController();
  const migration = await acceptMigration(client, { uri: 'tcp:0:1' }, { ...fast, signal: controller.signal });
  controller.abort();
  await expect(migration.done).rejects.toMatchObject({ name: 'AbortError' });
  expect(fake.requests.map(({ execute }) => execute)).not.toContain('migrate_cancel');
});
