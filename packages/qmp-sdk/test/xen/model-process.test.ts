import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attach } from '../../src/xen/index.js';
import { connectModel } from '../../src/xen/model-connection.js';
import { connectToDomain } from '../../src/xen/spawn-model.js';
import { fakeDomain } from '../../src/xen/testing/index.js';
import { CARD, failure, readyHost } from './hosts.js';
import { connected, handle, serve, until, VIEW } from './served.js';

/** Sends raw bytes and returns everything that comes back until the end. */
function raw(socket: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const connection = createConnection(socket, () => connection.write(bytes));
    connection
      .on('data', (chunk) => (answer += chunk.toString()))
      .on('close', () => resolve(answer))
      .on('error', reject);
  });
}

test('serves attach, view and status over a private socket, exact to 64 bits, and ends when asked', async () => {
  const { end, calls, folder, socket } = await serve();
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  const model = await connected(socket);
  expect(await model.attach({ sbdf: CARD, guestDevfn: 40 })).toEqual({ pirq: null, hidden: [], vectors: 1 });
  expect(await model.view(CARD)).toEqual(VIEW);
  const process = { pid: 100, version: '0.1.0', startedAtMs: 1_795_000_000_000 };
  expect(await model.status()).toMatchObject({ handle, process });
  await model.shutdown();
  expect(await end).toBe('shutdown');
  expect(calls).toEqual(['start 1', `attach ${CARD} 40`, 'close']);
  expect([existsSync(socket), existsSync(join(folder, 'model.pid'))]).toEqual([false, false]);
  expect(await connectModel(socket)).toBeNull();
});

test('an error of the model reaches the caller with its code and next step', async () => {
  const { end, socket } = await serve();
  const model = await connected(socket);
  expect(await failure(model.detach(CARD))).toMatchObject({
    code: 'XENPT_MODEL_FAILED',
    message: `${CARD} is not attached`,
    next: 'Look.',
    cause: { code: 'DEVICE_MODEL_NOT_ATTACHED' },
  });
  await model.shutdown();
  await end;
});

test.each([
  ['a line over 64 KiB', `${'x'.repeat(64 * 1024 + 1)}`, /longer than 65536/],
  ['what is not JSON', 'attach please\n', /JSON/],
  ['what is not an object', '7\n', /an object/],
  ['an unknown method', '{"id":1,"method":"eval","params":{}}\n', /no method/],
  ['a prototype as method', '{"id":1,"method":"__proto__","params":{}}\n', /no method/],
  ['a slot out of range', '{"id":1,"method":"attach","params":{"sbdf":"x","guestDevfn":256}}\n', /0\.\.255/],
  ['no parameters', '{"id":1,"method":"view","params":null}\n', /params\.sbdf/],
])('refuses %s, ends that connection and serves on', async (_name, bytes, message) => {
  const { end, socket } = await serve();
  expect(await raw(socket, bytes)).toMatch(message);
  const model = await connected(socket);
  expect(await model.status()).toMatchObject({ deniedWrites: 0 });
  await model.shutdown();
  await end;
});

test('the status is told while another request hangs, and is not worth a line of the log', async () => {
  const { end, log, socket } = await serve({ attach: () => new Promise(() => {}) });
  const [first, second] = [await connected(socket), await connected(socket)];
  const hanging = failure(first.attach({ sbdf: CARD, guestDevfn: 40 }));
  expect(await first.status()).toMatchObject({ handle });
  expect(await second.status()).toMatchObject({ handle });
  expect(log.filter((line) => line.startsWith('status'))).toEqual([]);
  first.close();
  second.close();
  await hanging;
  void end;
});

test('refuses a second model for the same guest, and takes over from one that was killed', async () => {
  const first = await serve();
  const second = await serve({ host: first.host, pid: 101 });
  expect(await failure(second.end)).toMatchObject({ code: 'XENPT_LOCKED' });
  expect(second.calls).toEqual([]);
  await (await connected(first.socket)).shutdown();
  await first.end;
});

test('one that stands by waits until the one at work has ended, and is alone in that', async () => {
  const first = await serve();
  writeFileSync(join(first.folder, `state-${handle}.a`), '');
  const waiting = serve({ host: first.host, pid: 101, standby: true, alive: [100, 101] });
  await until(() => existsSync(join(first.folder, 'standby.pid')));
  const third = await serve({ host: first.host, pid: 102, standby: true, alive: [100, 101] });
  expect(await failure(third.end)).toMatchObject({ code: 'XENPT_LOCKED' });
  rmSync(join(first.folder, 'model.pid'));
  const second = await waiting;
  expect(second.log).toEqual(['standing by to go on for the model at work', `going on with domain 5 (${handle})`]);
  expect(existsSync(join(first.folder, 'standby.pid'))).toBe(false);
  await (await connected(second.socket)).shutdown();
  await second.end;
});

test('does not serve a domain that only has the same id', async () => {
  const { end, calls } = await serve({ handle: 'ffffffff-0000-4000-8000-000000000005' });
  expect(await failure(end)).toMatchObject({ code: 'XENPT_NO_SUCH_DOMAIN' });
  expect(calls).toEqual([]);
});

test('a command for another domain with the same id does not talk to it', async () => {
  const { host, end, socket } = await serve();
  expect(await failure(connectToDomain(host, 5, 'ffffffff-0000-4000-8000-000000000005'))).toMatchObject({
    code: 'XENPT_LOCKED',
  });
  await (await connected(socket)).shutdown();
  await end;
});

test('another domain that ends is not a reason to end', async () => {
  const { host, end, socket, log } = await serve();
  host.toolstack.domains.set(5, fakeDomain(5, { flags: { shutdown: true } }));
  host.store.fire('@releaseDomain');
  const model = await connected(socket);
  await model.status();
  expect(log.some((line) => line.startsWith('ending'))).toBe(false);
  await model.shutdown();
  await end;
});

test('when the domain is destroyed, cleans up what the toolstack left, and ends', async () => {
  const host = await readyHost();
  const before = host.dump();
  await attach(host, { domain: '5', spec: CARD });
  const { end, calls, folder } = await serve({ host });
  host.models.kill(5);
  host.toolstack.destroyDomain(5);
  host.store.remove('/local/domain/5');
  host.store.fire('@releaseDomain');
  expect(await end).toBe('domain-gone');
  expect(calls).toEqual(['start 1', 'domainDied', 'close']);
  expect(host.dump()).toEqual(before.filter((line) => !line.includes('/local/domain/5')));
  expect(existsSync(folder)).toBe(false);
}, 30_000);

test('leaves alone what the toolstack gave to somebody else meanwhile', async () => {
  const host = await readyHost({ domains: [fakeDomain(5), fakeDomain(6)] });
  await attach(host, { domain: '5', spec: CARD });
  const { end } = await serve({ host });
  host.toolstack.destroyDomain(5);
  host.store.remove('/local/domain/0/backend/pci/5');
  host.store.seed({ '/libxl/pci/0000-03-00-0/domid': '6' });
  host.toolstack.assignDevice(6, 0x300, 0);
  const before = host.toolstack.dump();
  const calls = host.journal.calls.length;
  host.store.fire('@releaseDomain');
  await end;
  expect(host.toolstack.dump()).toEqual(before);
  expect(
    host.journal.calls.slice(calls).filter((call) => /^(reset|disable|xc_(de)?assign|xs_(write|rm))/.test(call)),
  ).toEqual([]);
});

test('a process that comes too late for its domain cleans up after it, and starts no model', async () => {
  const host = await readyHost();
  const before = host.dump();
  await attach(host, { domain: '5', spec: CARD });
  host.models.kill(5);
  writeFileSync(join(host.runDir, 'domain-5', `state-${handle}.a`), '');
  host.toolstack.destroyDomain(5);
  host.store.remove('/local/domain/5');
  const { calls, end, folder, log } = await serve({ host });
  expect(await end).toBe('domain-gone');
  expect(calls).toEqual([]);
  expect(log[0]).toMatch(/has ended while it had no device model/);
  expect(existsSync(folder)).toBe(false);
  expect(host.dump()).toEqual(before.filter((line) => !line.includes('/local/domain/5')));
}, 30_000);

test('says that it goes on, when a former process has left its state', async () => {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  writeFileSync(join(host.runDir, 'domain-5', `state-${handle}.a`), '');
  const { calls, end, log, socket } = await serve({ host });
  expect(log).toEqual([`going on with domain 5 (${handle})`]);
  await (await connected(socket)).shutdown();
  await end;
  expect(calls).not.toContain('ignoreEjects');
});

test('when the model fails, ends with a reason and no socket', async () => {
  const { end, socket, log, fail } = await serve();
  const model = await connected(socket);
  fail(new Error('the worker died'));
  expect(await end).toBe('model-failed');
  expect(log).toContain('the model ended: the worker died');
  expect(existsSync(socket)).toBe(false);
  expect(await failure(model.status())).toMatchObject({ code: 'XENPT_MODEL_FAILED' });
});

test('the ROM of an attach comes from the folder of the guest, whatever the request says', async () => {
  const { calls, folder, socket } = await serve();
  writeFileSync(join(folder, 'rom.bin'), Uint8Array.of(1, 2, 3));
  const model = await connected(socket);
  await model.attach({ sbdf: CARD, guestDevfn: 40, rom: 'file' });
  await model.attach({ sbdf: CARD, guestDevfn: 48, rom: 'off' });
  expect(calls.filter((call) => call.startsWith('attach'))).toEqual([
    `attach ${CARD} 40 ROM 1 2 3`,
    `attach ${CARD} 48 no ROM`,
  ]);
  const path = model.attach({ sbdf: CARD, guestDevfn: 40, rom: '/etc/shadow' as 'file' });
  await expect(path).rejects.toThrow('params.rom');
  model.close();
});

test('ejects come to the model until the connection of whoever asked last ends', async () => {
  const { calls, end, log, socket } = await serve();
  const [first, second] = [await connected(socket), await connected(socket)];
  expect(await first.expectEjects(0)).toBe(0x20);
  expect(await first.expectEjects(0x20)).toBe(0);
  expect(await second.expectEjects(0)).toBe(0x20);
  first.close();
  await second.status();
  expect(calls).not.toContain('ignoreEjects');
  second.close();
  await until(() => calls.includes('ignoreEjects'));
  const third = await connected(socket);
  await third.expectEjects(0);
  await third.shutdown();
  await end;
  // The questions are many, and not worth a line each.
  expect(log.filter((line) => /eject/.test(line))).toEqual([
    'the guest is expected to eject',
    'the guest has ejected the slots 0x20',
    'the guest is expected to eject',
    'the guest has ejected the slots 0x20',
    'no eject is expected any more',
    'the guest is expected to eject',
    'the guest has ejected the slots 0x20',
    'no eject is expected any more',
  ]);
});

test.each([-1, 0.5, 2 ** 32, '1', null])('slots that are no 32 bits are refused: %j', async (passedOn) => {
  const { socket } = await serve();
  const line = JSON.stringify({ id: 1, method: 'expectEjects', params: { passedOn } });
  expect(await raw(socket, `${line}\n`)).toMatch(/a bit for each of 32 slots/);
  (await connected(socket)).close();
});
