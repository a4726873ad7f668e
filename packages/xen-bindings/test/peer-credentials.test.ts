import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { peerCredentials } from '../src/peer-credentials.js';
import { ensureAddon } from './support/build.js';

const folder = mkdtempSync(join(tmpdir(), 'xenpt-peer-'));
beforeAll(ensureAddon);
afterAll(() => rmSync(folder, { recursive: true }));

it('tells who has connected', async () => {
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  server.listen(join(folder, 'socket'));
  const client = connect(join(folder, 'socket'));
  const socket = (await accepted) as Socket & { readonly _handle: { readonly fd: number } };
  expect(peerCredentials(socket._handle.fd)).toEqual({
    pid: process.pid,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
  });
  client.destroy();
  socket.destroy();
  server.close();
});

it('says what the kernel has against a descriptor', () => {
  const fd = openSync(folder, 'r');
  expect(() => peerCredentials(fd)).toThrow(
    expect.objectContaining({ call: 'getsockopt', errnoName: 'ENOTSOCK' }) as Error,
  );
  closeSync(fd);
  expect(() => peerCredentials('3' as unknown as number)).toThrow(TypeError);
});
