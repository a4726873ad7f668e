import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Monitor } from '../../src/machine/monitor.js';
import { fakeMonitor } from './fake-monitor.js';

const socketPath = () => join(mkdtempSync(join(tmpdir(), 'monitor-')), 'monitor.sock');

it('negotiates, asks and answers, past events', async () => {
  const path = socketPath();
  const fake = await fakeMonitor(path, (command) =>
    command === 'query-status' ? { return: { running: true } } : undefined,
  );
  const monitor = await Monitor.open(path);
  expect(await monitor.execute('query-status')).toEqual({ running: true });
  expect(fake.asked).toEqual(['qmp_capabilities', 'query-status']);
  monitor.close();
  fake.close();
});

it('gives the reason of a refusal, and goes on', async () => {
  const path = socketPath();
  const fake = await fakeMonitor(path, (command) =>
    command === 'migrate' ? { error: { desc: 'no way' } } : undefined,
  );
  const monitor = await Monitor.open(path);
  await expect(monitor.execute('migrate')).rejects.toMatchObject({ message: 'QEMU refused "migrate": no way.' });
  expect(await monitor.execute('cont')).toEqual({});
  monitor.close();
  fake.close();
});

it('fails when QEMU goes away, or is not there', async () => {
  const path = socketPath();
  await expect(Monitor.open(path)).rejects.toMatchObject({ code: 'ENOENT' });
  const fake = await fakeMonitor(path, (command) => (command === 'stop' ? 'hang up' : undefined));
  const monitor = await Monitor.open(path);
  await expect(monitor.execute('stop')).rejects.toMatchObject({ code: 'LAB_MACHINE_ENDED' });
  await expect(monitor.execute('cont')).rejects.toMatchObject({ code: 'LAB_MACHINE_ENDED' });
  fake.close();
});
