import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { FakeQmp } from '../../src/testing/index.js';
import { connectToGuestEvents, withGuestQmp } from '../../src/xen/qmp.js';
import { createFakeHost, fakeDomain } from '../../src/xen/testing/index.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function guestWithQemu() {
  const host = createFakeHost();
  const qemu = new FakeQmp().on('query-name', () => ({ name: 'guest5' }));
  await qemu.listen({ unix: host.monitors.control(5) });
  open.push(host, qemu);
  return { host, qemu, lock: host.monitors.lock(5, fakeDomain(5).handle) };
}

describe('withGuestQmp', () => {
  test('runs one burst under the lock, and leaves neither lock nor connection', async () => {
    const { host, qemu, lock } = await guestWithQemu();
    const name = await withGuestQmp(host, 'guest5', async (client, domain) => {
      expect(existsSync(lock)).toBe(true);
      expect(domain.domid).toBe(5);
      return client.execute('query-name');
    });
    expect(name).toEqual({ name: 'guest5' });
    expect(existsSync(lock)).toBe(false);
    expect(await withGuestQmp(host, '5', (client) => client.execute('query-name'))).toEqual(name);
    expect(qemu.requests.filter(({ execute }) => execute === 'query-name')).toHaveLength(2);
  });

  test('bursts at the same time come one after the other', async () => {
    const { host } = await guestWithQemu();
    let running = 0;
    const bursts = Array.from({ length: 8 }, () =>
      withGuestQmp(host, '5', async (client) => {
        running += 1;
        expect(running).toBe(1);
        await client.execute('query-name');
        running -= 1;
      }),
    );
    await Promise.all(bursts);
  });

  test('waits for somebody else who has the lock as libxl takes it, and who removes the file', async () => {
    const { host, lock } = await guestWithQemu();
    // As libxl does: lock, work, unlink while locked, let go.
    const other = spawn('flock', ['-x', lock, 'sh', '-c', `echo held; read line; rm ${lock}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => other.stdout.once('data', resolve));
    let done = false;
    const burst = withGuestQmp(host, '5', (client) => client.execute('query-name')).then(() => (done = true));
    const busy = withGuestQmp(host, '5', () => Promise.resolve(), { lockTimeoutMs: 100 });
    await expect(busy).rejects.toMatchObject({ code: 'XENPT_LOCKED' });
    expect(done).toBe(false);
    other.stdin.end('\n');
    await burst;
    expect(existsSync(lock)).toBe(false);
  });

  test('a lock file that somebody left behind is no lock', async () => {
    const { host, lock } = await guestWithQemu();
    writeFileSync(lock, '');
    await withGuestQmp(host, '5', (client) => client.execute('query-name'));
  });

  test('a QEMU that does not answer gives the lock back', async () => {
    const { host, qemu, lock } = await guestWithQemu();
    qemu.on('query-name', () => new Promise(() => {}));
    const burst = withGuestQmp(host, '5', (client) => client.execute('query-name'), { timeoutMs: 100 });
    await expect(burst).rejects.toMatchObject({ code: 'XENPT_MONITOR_TIMEOUT' });
    expect(existsSync(lock)).toBe(false);
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = withGuestQmp(host, '5', (client) => client.execute('query-name'), { signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(aborted).rejects.toThrow();
    expect(existsSync(lock)).toBe(false);
  });

  test('a hostile QEMU: a flood, and what is nested too deep', async () => {
    const { host, qemu, lock } = await guestWithQemu();
    qemu.on('query-name', () => ({ name: 'x'.repeat(5 * 1024 * 1024) }));
    const flood = withGuestQmp(host, '5', (client) => client.execute('query-name'));
    await expect(flood).rejects.toMatchObject({ code: 'QMP_CLOSED', reason: 'too-large' });
    let nested = {};
    for (let depth = 0; depth < 200; depth++) nested = { nested };
    qemu.on('query-name', () => nested);
    const deep = withGuestQmp(host, '5', (client) => client.execute('query-name'));
    await expect(deep).rejects.toMatchObject({ code: 'QMP_CLOSED', reason: 'protocol' });
    expect(existsSync(lock)).toBe(false);
  });

  test('no such domain, no QEMU, not root, and a domid that was given to another meanwhile', async () => {
    const { host } = await guestWithQemu();
    const nothing = () => Promise.resolve();
    await expect(withGuestQmp(host, '7', nothing)).rejects.toMatchObject({ code: 'XENPT_NO_SUCH_DOMAIN' });
    const plain = createFakeHost({ domains: [fakeDomain(6)] });
    const user = createFakeHost({ isRoot: false });
    open.push(plain, user);
    await expect(withGuestQmp(plain, '6', nothing)).rejects.toMatchObject({ code: 'XENPT_NO_MONITOR' });
    await expect(withGuestQmp(user, '5', nothing)).rejects.toMatchObject({ code: 'XENPT_NOT_ROOT' });
    const burst = withGuestQmp(host, '5', nothing);
    host.toolstack.domains.set(5, fakeDomain(5, { handle: '11111111-0000-4000-8000-000000000005' }));
    await expect(burst).rejects.toMatchObject({ code: 'XENPT_NO_SUCH_DOMAIN' });
  });
});

test('events come over the second monitor, and the first stays free', async () => {
  const { host } = await guestWithQemu();
  const second = new FakeQmp();
  await second.listen({ unix: host.monitors.statistics(5) });
  open.push(second);
  const { client } = await connectToGuestEvents(host, 'guest5');
  const events = client.events('STOP');
  second.emit('STOP');
  expect(await events.next()).toMatchObject({ value: { event: 'STOP' } });
  await withGuestQmp(host, '5', (other) => other.execute('query-name'));
  await client.close();
});
