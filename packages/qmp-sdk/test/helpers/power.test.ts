import { afterEach, expect, test } from 'vitest';
import { quit, shutDown } from '../../src/helpers/index.js';
import { monitorOf, type Monitored } from './monitor.js';

let open: Monitored | undefined;
afterEach(() => open?.close());

const endAll = ({ fake }: Monitored) => fake.sessions.forEach((session) => session.end());

test('quit: by its reply, and by the end without one', async () => {
  open = await monitorOf(() => {});
  await quit(open.client);
  await open.close();
  const silent = (open = await monitorOf((fake) => fake.on('quit', () => new Promise(() => {}))));
  const quitting = quit(silent.client);
  setTimeout(() => endAll(silent), 20);
  await quitting;
});

test('shutDown: the guest does it, or the time is over', async () => {
  const obedient = (open = await monitorOf((fake) => fake.on('system_powerdown', () => {})));
  setTimeout(() => endAll(obedient), 20);
  expect(await shutDown(obedient.client)).toBe(true);
  await obedient.close();
  open = await monitorOf((fake) => fake.on('system_powerdown', () => {}));
  expect(await shutDown(open.client, { graceMs: 20 })).toBe(false);
});
