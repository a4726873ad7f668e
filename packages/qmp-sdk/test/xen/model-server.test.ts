import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, expect, it } from 'vitest';
import { type ControlServer, serveControl } from '../../src/xen/model-server.js';

const ask = `${JSON.stringify({ id: 1, method: 'status', params: {} })}\n`;
const folder = mkdtempSync(join(tmpdir(), 'xenpt-control-'));
const path = join(folder, 'socket');
let server: ControlServer | undefined;
afterEach(() => server?.close());
afterAll(() => rmSync(folder, { recursive: true }));

async function connected(): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  return socket;
}

it('lets in whom the kernel says it may, through a socket that is for its owner alone', async () => {
  const asked: number[] = [];
  server = await serveControl(
    path,
    () => Promise.resolve({}),
    ({ pid, uid }) => {
      asked.push(pid, uid);
      return true;
    },
  );
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const socket = await connected();
  socket.write(ask);
  const [reply] = (await once(socket, 'data')) as [Buffer];
  expect(JSON.parse(reply.toString())).toEqual({ id: 1, result: {} });
  expect(asked).toEqual([process.pid, process.getuid?.()]);
  socket.destroy();
});

it('tells anybody else that and why, handles nothing for them, and goes on', async () => {
  const handled: string[] = [];
  const handle = ({ method }: { readonly method: string }) => Promise.resolve(handled.push(method));
  let strangers = 1;
  server = await serveControl(path, handle, () => strangers-- <= 0);
  const stranger = await connected();
  stranger.write(ask);
  expect(JSON.parse(await text(stranger))).toMatchObject({
    id: null,
    error: {
      code: 'XENPT_MODEL_FORBIDDEN',
      message: `process ${process.pid} of user ${process.getuid?.()} may not control this device model`,
    },
  });
  expect(handled).toEqual([]);
  const friend = await connected();
  friend.write(ask);
  await once(friend, 'data');
  expect(handled).toEqual(['status']);
  friend.destroy();
});
