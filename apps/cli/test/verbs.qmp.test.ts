import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeError } from '@xenpt/qmp-sdk/testing';
import { asked, fakeQemu } from './fake-qemu.js';
import { fakeHost, parse, run } from './run.js';

let folder: string;
let socket: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenpt-cli-'));
  socket = join(folder, 'qmp');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('qmp', () => {
  test('one command to a guest: JSON for a person, one document for a program', async () => {
    const host = fakeHost();
    await fakeQemu(host);
    expect(await run(host, 'qmp guest5 query-status')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('"status": "running"') as string,
    });
    const { stdout } = await run(host, 'qmp 5 set-all number=18446744073709551615');
    expect(stdout).toBe('{\n  "number": 18446744073709551615\n}\n');
    expect(parse((await run(host, 'qmp 5 set-all number=7 --json')).stdout)).toEqual({
      schemaVersion: 1,
      result: { number: 7 },
    });
  });

  test('asks on a terminal before a command that ends the guest', async () => {
    const host = fakeHost({ xen: false });
    const qemu = await fakeQemu(socket);
    const no = () => Promise.resolve(false);
    const declined = await run(host, `qmp --socket ${socket} quit`, { confirm: no });
    expect([declined.exitCode, declined.stderr]).toEqual([4, expect.stringContaining('QEMU ends at once')]);
    expect(asked(qemu)).toEqual([]);
    await run(host, `qmp --socket ${socket} quit --yes`, { confirm: no });
    await run(host, `qmp --socket ${socket} set-all {"number":1}`, { confirm: no });
    expect(asked(qemu).map(({ command }) => command)).toEqual(['quit', 'set-all']);
  });

  test('--socket needs no Xen; the schema is asked for only when it is needed', async () => {
    const host = fakeHost({ xen: false });
    const qemu = await fakeQemu(socket);
    expect(await run(host, `qmp --socket ${socket} set-all {"number":1}`)).toMatchObject({ exitCode: 0 });
    expect(await run(host, `qmp --socket ${socket} set-all number:=1`)).toMatchObject({ exitCode: 0 });
    expect(asked(qemu).map(({ command }) => command)).toEqual(['set-all', 'set-all']);
    expect(await run(host, `qmp --socket ${socket} set-all number=1`)).toMatchObject({ exitCode: 0 });
    expect(
      asked(qemu)
        .map(({ command }) => command)
        .slice(2),
    ).toEqual(['query-qmp-schema', 'set-all']);
  });

  test('text that QEMU returns is printed as text, without what a terminal would obey', async () => {
    const host = fakeHost();
    const qemu = await fakeQemu(host);
    qemu.on('human-monitor-command', () => 'one\r\n\ttwo\u001b[2J\u009b\r\n');
    const { stdout } = await run(host, 'qmp 5 human-monitor-command command-line:="info"');
    expect(stdout).toBe('one?\n\ttwo?[2J?\n');
  });

  test.each([
    ['qmp', 2, 'neither a domain nor a socket'],
    ['qmp 5', 2, 'no command'],
    ['qmp 5 set-all number=many', 2, 'not an integer'],
    ['qmp 5 set-al', 1, 'Did you mean set-all?'],
    ['qmp 5 nothing-like-it', 1, 'CommandNotFound'],
    ['qmp 5 refused', 1, 'not today'],
    ['qmp 9 query-status', 3, 'there is no domain "9"'],
  ])('%s: exit %i', async (line, exitCode, words) => {
    const host = fakeHost();
    const qemu = await fakeQemu(host);
    qemu.on('refused', () => {
      throw new FakeError('GenericError', 'not today');
    });
    const result = await run(host, line);
    expect([result.exitCode, result.stdout]).toEqual([exitCode, '']);
    expect(result.stderr).toContain(words);
  });

  test('a guest without QEMU, and a user who is not root', async () => {
    expect(await run(fakeHost(), 'qmp 5 query-status')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('has no QEMU') as string,
    });
    expect(await run(fakeHost({ isRoot: false }), 'qmp 5 query-status')).toMatchObject({ exitCode: 10 });
  });
});

describe('qmp events', () => {
  test('prints what comes, only the named ones, and ends after --count', async () => {
    const host = fakeHost();
    const qemu = await fakeQemu(host);
    const running = run(host, 'qmp events guest5 STOP DEVICE_DELETED --count 2');
    await expect.poll(() => qemu.requests.length).toBe(1);
    qemu.emit('STOP');
    qemu.emit('RESUME');
    qemu.emit('DEVICE_DELETED', { path: '/machine/one', device: 'one' });
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\S+Z STOP\n\S+Z DEVICE_DELETED \{ "path": "\/machine\/one", "device": "one" \}\n$/);
  });

  test('--json: a document per line; after SHUTDOWN the end is no error', async () => {
    const qemu = await fakeQemu(socket);
    const running = run(fakeHost({ xen: false }), `qmp events --socket ${socket} --json`);
    await expect.poll(() => qemu.requests.length).toBe(1);
    qemu.emit('SHUTDOWN', { guest: true, reason: 'guest-shutdown' });
    for (const session of qemu.sessions) session.end();
    const { exitCode, stdout, stderr } = await running;
    expect(parse(stdout)).toMatchObject({ schemaVersion: 1, event: 'SHUTDOWN', data: { guest: true } });
    expect([exitCode, stderr]).toEqual([0, 'note: The guest has ended, and its QEMU.\n']);
  });

  test('a lost connection is an error; so is a count that is none', async () => {
    const qemu = await fakeQemu(socket);
    const running = run(fakeHost({ xen: false }), `qmp events --socket ${socket}`);
    await expect.poll(() => qemu.requests.length).toBe(1);
    for (const session of qemu.sessions) session.end();
    expect(await running).toMatchObject({ exitCode: 1 });
    expect(await run(fakeHost(), 'qmp events 5 --count none')).toMatchObject({ exitCode: 2 });
  });
});

describe('qmp shell', () => {
  test('commands from a pipe, each with its own connection to a guest', async () => {
    const host = fakeHost();
    const qemu = await fakeQemu(host);
    const stdin =
      'set-all number=1\n# a comment\n\nhelp set-all\nset-all number={"a"\nquit\nexit\nset-all number=2\n';
    const { exitCode, stdout, stderr } = await run(host, 'qmp shell guest5', { stdin });
    expect(stdout).toContain('{\n  "number": 1\n}\nnumber: int\n[text]: str\n');
    expect(stderr).toMatch(/a bracket is not closed[^]*quit ends QEMU/);
    expect(exitCode).toBe(1);
    expect(asked(qemu).map(({ command }) => command)).toEqual(['query-qmp-schema', 'set-all']);
    expect(qemu.requests.filter(({ execute }) => execute === 'qmp_capabilities')).toHaveLength(2);
  });

  test('--socket stays connected; --json is a document per line', async () => {
    const qemu = await fakeQemu(socket);
    const stdin = 'set-all number=1\nnosuch\n';
    const { stdout } = await run(fakeHost({ xen: false }), `qmp shell --socket ${socket} --json`, { stdin });
    const documents = stdout.trim().split('\n').map(parse);
    expect(documents).toMatchObject([{ result: { number: 1 } }, { error: { code: 'QMP_COMMAND' } }]);
    expect(qemu.requests.filter(({ execute }) => execute === 'qmp_capabilities')).toHaveLength(1);
  });
});

describe('qmp codegen', () => {
  test('types of this QEMU, to a file or to standard output', async () => {
    await fakeQemu(socket);
    const host = fakeHost({ xen: false });
    const { stdout, files } = await run(host, `qmp codegen --socket ${socket} -o qemu.ts`);
    expect(stdout).toMatch(/^qemu\.ts: the types of QEMU \d+\.\d+\.\d+\n$/);
    expect(files.get('qemu.ts')).toMatch(/export interface Commands[^]*'set-all'/);
    expect((await run(host, `qmp codegen --socket ${socket}`)).stdout).toBe(files.get('qemu.ts'));
    expect(await run(host, `qmp codegen 5 --socket ${socket}`)).toMatchObject({ exitCode: 2 });
  });
});

describe('screenshot', () => {
  const image = Buffer.concat([Buffer.from('P6\n640 400\n255\n'), Buffer.alloc(640 * 400 * 3)]);

  test.each([
    ['a QEMU that draws nothing', Buffer.alloc(0), 1],
    ['an image', image, 0],
  ])('%s', async (_name, content, exitCode) => {
    const host = fakeHost();
    const qemu = await fakeQemu(host);
    qemu.on('screendump', ({ filename }) => void writeFileSync(filename as string, content));
    const result = await run(host, 'screenshot guest5 -o shot.png --device vga0 --head 0 --json');
    expect(result.exitCode).toBe(exitCode);
    expect(asked(qemu).at(-1)).toMatchObject({ args: { device: 'vga0', head: 0 } });
    if (exitCode !== 0) return expect(result.files.size).toBe(0);
    expect(parse(result.stdout)).toEqual({
      schemaVersion: 1,
      output: 'shot.png',
      width: 640,
      height: 400,
      sizeBytes: result.files.get('shot.png')?.length,
    });
    expect(
      Buffer.from(result.files.get('shot.png') ?? '')
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
  });

  test('no file to write to, and a head that is no number', async () => {
    expect(await run(fakeHost(), 'screenshot 5')).toMatchObject({ exitCode: 2 });
    expect(await run(fakeHost(), 'screenshot 5 -o a.png --head left')).toMatchObject({ exitCode: 2 });
  });
});

test('devices: a table each, and what is not known as a note', async () => {
  const host = fakeHost();
  const qemu = await fakeQemu(host);
  host.store.seed({
    '/libxl/5/device/vif/0/mac': '00:16:3e:00:00:01',
    '/libxl/5/device/vif/0/bridge': 'xenbr0',
    '/local/domain/5/device/vif/0/state': '4',
  });
  const { exitCode, stdout, stderr } = await run(host, 'devices guest5');
  expect(exitCode).toBe(0);
  expect(stdout).toMatchInlineSnapshot(`
    "guest5  domain 5, HVM

    NETWORK CARD  KIND         MODEL     MAC                NETWORK  DRIVER
    vif 0         paravirtual  netfront  00:16:3e:00:00:01  xenbr0   connected
    "
  `);
  expect(stderr).toContain('What QEMU emulates is not known');
  qemu
    .on('query-block', () => [])
    .on('query-pci', () => [])
    .on('qom-list', () => []);
  expect(parse((await run(host, 'devices 5 --json')).stdout)).toMatchObject({
    domid: 5,
    nics: [{ kind: 'paravirtual', mac: '00:16:3e:00:00:01', connected: true }],
    notes: [],
  });
});
