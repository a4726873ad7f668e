import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { connectModel } from '../../../src/xen/model-connection.js';
import { serveControl } from '../../../src/xen/model-server.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

test('L9: whoever asks, and however many at once: what calls Xen for a domain is done one after another', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'xenpt-l9-'));
  folders.push(folder);
  let [atWork, most] = [0, 0];
  const order: string[] = [];
  const control = await serveControl(join(folder, 'socket'), async ({ method }) => {
    if (method === 'status') return { handle: '', requests: {}, deniedWrites: 0, effects: {}, devices: [] };
    atWork += 1;
    most = Math.max(most, atWork);
    order.push(method);
    // Longer than the others take to arrive.
    await new Promise((resolve) => setTimeout(resolve, 20));
    atWork -= 1;
    return null;
  });
  const clients = await Promise.all([1, 2, 3, 4].map(() => connectModel(join(folder, 'socket'))));
  const asked = clients.map(async (client) => {
    await Promise.all([client?.attach({ sbdf: '0000:03:00.0', guestDevfn: 40 }), client?.detach('0000:03:00.0')]);
  });
  await Promise.all(asked);
  expect([most, order.length, order.filter((method) => method === 'attach').length]).toEqual([1, 8, 4]);
  for (const client of clients) client?.close();
  await control.close();
});
