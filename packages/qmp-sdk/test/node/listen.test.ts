import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { listen } from '../../src/node/index.js';
import { haveQemu } from './real-qemu.js';

const folder = mkdtempSync(path.join(tmpdir(), 'qmp-listen-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const greeting = '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 0, "major": 8}}, "capabilities": []}}\r\n';

/** A QEMU that calls, and answers the negotiation. */
function call(address: { path: string } | { host: string; port: number }) {
  const socket = connectSocket(address);
  socket.write(greeting);
  socket.on('data', (data) => {
    const [, id] = /"id":(\d+)/.exec(data.toString()) ?? [];
    socket.write(id === undefined ? '{"return": {}}\r\n' : `{"return": {}, "id": ${id}}\r\n`);
  });
  socket.on('error', () => undefined);
  return socket;
}

test('whoever calls is greeted, in turn', async () => {
  await using listener = await listen({ port: 0 });
  const { host, port } = listener.address as { host: string; port: number };
  const calls = [call({ host, port }), call({ host, port })];
  const clients = [await listener.accept(), await listener.accept()];
  expect(clients.map(({ greeting: said }) => said.version.qemu.major)).toEqual([8, 8]);
  const later = listener.accept();
  calls.push(call({ host, port }));
  clients.push(await later);
  await listener.close();
  // Closing the listener leaves the sessions alone.
  await Promise.all(clients.map((client) => client.execute('query-status')));
  await Promise.all(clients.map((client) => client.close()));
  for (const socket of calls) socket.destroy();
});

test('waiting ends with the signal and with the listener', async () => {
  const unix = path.join(folder, 'wait.sock');
  const listener = await listen({ unix });
  expect(listener.address).toEqual({ unix });
  await expect(listener.accept({ signal: AbortSignal.timeout(5) })).rejects.toMatchObject({ name: 'AbortError' });
  await expect(listener.accept({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  const waiting = listener.accept();
  await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'QMP_CLOSED' }), listener.close()]);
  await listener.close();
  await expect(listener.accept()).rejects.toMatchObject({ code: 'QMP_CLOSED' });
});

test('an address that is taken is an error', async () => {
  const unix = path.join(folder, 'taken');
  writeFileSync(unix, '');
  await expect(listen({ unix })).rejects.toMatchObject({ code: 'QMP_CONNECT', cause: { code: 'EADDRINUSE' } });
});

test.skipIf(!haveQemu)('a real QEMU that connects out', async () => {
  const unix = path.join(folder, 'qemu.sock');
  await using listener = await listen({ unix });
  const quiet = ['-machine', 'none', '-S', '-display', 'none', '-nodefaults'];
  const qemu = spawn('qemu-system-x86_64', [...quiet, '-qmp', `unix:${unix},server=off`], { stdio: 'ignore' });
  const client = await listener.accept();
  expect(await client.execute('query-status')).toMatchObject({ running: false });
  await client.quit();
  await new Promise((resolve) => qemu.once('exit', resolve));
});
