import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fakeNetworkCard } from '@xenpt/qmp-sdk/xen/testing';
import { fakeHost, parse, run } from './run.js';

function config(command: number): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x10d3_8086, true);
  view.setUint16(4, command, true);
  view.setUint32(0x10, 0xfe84_0000, true);
  return bytes;
}

/** As lspci -xxx writes it. */
function dump(bytes: Uint8Array): string {
  const rows = Array.from({ length: bytes.length / 16 }, (_, row) => {
    const digits = Array.from(bytes.subarray(16 * row, 16 * row + 16), (byte) => byte.toString(16).padStart(2, '0'));
    return `${(16 * row).toString(16).padStart(2, '0')}: ${digits.join(' ')}\n`;
  });
  return rows.join('');
}

describe('of a guest', () => {
  async function attachedHost() {
    const host = fakeHost({ functions: [{ ...fakeNetworkCard, driver: 'pciback' }] });
    await run(host, 'attach 5 03:00.0');
    host.models.functionView = {
      guest: config(0x0407),
      host: config(0x0006),
      bars: [{ index: 0, kind: 'memory', guestAddress: 0xf000_0000n, mapped: true, refusal: null, rounds: 1 }],
      vectors: [{ index: 0, bound: true, pirq: 54, masked: false }],
      opened: { permissive: false, allow: ['device-specific@0xa8+0:0x1'], rom: 'none', romBytes: 0 },
    };
    return host;
  }

  test.each(['guest-view 03:00.0', 'guest-view 5 03:00.0'])(
    '%s: every register, a star where they differ',
    async (line) => {
      const { stdout } = await run(await attachedHost(), line);
      expect(stdout).toMatch(/^0000:03:00\.0 as domain 5 \(guest5\) sees it at 0000:00:05\.0$/m);
      expect(stdout).toMatch(/^0x04 +command +0x0006 +\* 0x0407 +\.{5}www RwDDDWww\n +The device keeps decoding/m);
      expect(stdout).toMatch(/^0x00 +vendorId +0x8086 +0x8086 +r{8} r{8}$/m);
      expect(stdout).toMatch(/^BAR 0 +memory +0xf0000000 +yes +1$/m);
      expect(stdout).toMatch(/^0 +yes +54 +no$/m);
      expect(stdout).toMatch(/^ {2}Allowed: +device-specific@0xa8\+0:0x1$/m);
    },
  );

  test('--denied: what was written in vain, and what would open it', async () => {
    const host = await attachedHost();
    expect((await run(host, 'guest-view 03:00.0 --denied')).stdout).toContain('changed nothing that it may not');
    host.models.functionView = { ...host.models.functionView, denied: [{ offset: 0xa8, mask: 1, count: 2 }] };
    expect((await run(host, 'guest-view 03:00.0 --denied')).stdout).toMatch(
      /^0xa8 +device-specific +byte 0 +0x01 +2 +device-specific@0xa8\+0:0x1$/m,
    );
  });

  test('--json: every field', async () => {
    const { stdout } = await run(await attachedHost(), 'guest-view 03:00.0 --json');
    const { view } = parse(stdout) as { view: { registers: Record<string, unknown>[] } };
    expect(view).toMatchObject({ domid: 5, guestSbdf: '0000:00:05.0', bars: [{ guestAddress: '0xf0000000' }] });
    expect(view.registers[2]).toEqual({
      offset: 4,
      width: 2,
      group: 'Header',
      groupOffset: 0,
      name: 'command',
      host: 6,
      guest: 0x0407,
      differs: true,
      bits: '.....wwwRwDDDWww',
      why: expect.stringContaining('XSA-126') as string,
      fields: expect.arrayContaining([{ name: 'busMaster', bitCount: 1, value: 1, text: null }]) as unknown[],
    });
  });
});

test('of a device that no guest has: what one would see; nothing was denied yet', async () => {
  const host = fakeHost({ functions: [{ ...fakeNetworkCard, config: config(6) }], xen: false });
  const { stdout, exitCode } = await run(host, 'guest-view 03:00.0');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^0000:03:00\.0 as a guest would see it$/m);
  expect(stdout).toMatch(/^0x10 +bar0 +0xfe840000 +\* 0x00000000 +w{8} w{7}r r{8} r{8}$/m);
  expect(stdout).not.toContain('VECTOR');
  expect(await run(host, 'guest-view 03:00.0 --denied')).toMatchObject({ exitCode: 2 });
});

describe('--from', () => {
  let folder = '';
  const file = (name: string) => join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'xenpt-cli-'));
    writeFileSync(file('raw'), config(6));
    writeFileSync(file('one.txt'), `03:00.0 Ethernet\n\tMemory at fe840000 [size=128K]\n${dump(config(6))}`);
    writeFileSync(file('many.txt'), `03:00.0 Ethernet\n${dump(config(6))}\n04:00.0 Other\n${dump(config(7))}`);
    writeFileSync(file('bad.txt'), '03:00.0 Ethernet\n00: 86 8x\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('lspci’s output of one function, without a host', async () => {
    const { stdout, stderr, exitCode, opened } = await run(fakeHost(), `guest-view --from ${file('one.txt')}`);
    expect([exitCode, stderr, opened]).toEqual([0, '', []]);
    expect(stdout).toMatch(/^0000:03:00\.0 as a guest would see it$/m);
    expect(stdout).toMatch(/^0x10 +bar0 +0xfe840000 +\* 0x00000000 +w{8} w{7}r r{8} r{8}$/m);
  });

  test('its bytes, from a file or standard input; what it does not tell is noted', async () => {
    const named = await run(fakeHost(), `guest-view --from ${file('raw')}`);
    expect(named.stdout).toMatch(/^The function as a guest would see it$/m);
    expect(named.stderr).toContain('does not tell the size of BAR 0');
    expect((await run(fakeHost(), 'guest-view --from -', { stdin: config(6) })).stdout).toBe(named.stdout);
    expect((await run(fakeHost(), `guest-view --from ${file('raw')} 07:00.0`)).stdout).toMatch(/^0000:07:00\.0 as/);
  });

  test('no line is longer than the terminal is wide: bits without room stand below', async () => {
    const line = `guest-view --from ${file('one.txt')}`;
    for (const columns of [80, 100, 120]) {
      const { stdout } = await run(fakeHost(), line, { terminal: { columns, rows: 24 } });
      expect(stdout.split('\n').filter((text) => text.length > columns)).toEqual([]);
      expect(/0x10 +bar0 .*\n?.* w{8} w{7}r r{8} r{8}$/m.test(stdout)).toBe(true);
    }
  });

  test('of several functions one is chosen by address, else they are listed', async () => {
    const { stdout, stderr } = await run(fakeHost(), `guest-view --from ${file('many.txt')}`);
    expect(stdout).toMatchInlineSnapshot(`
      "ADDRESS       BYTES  DEVICE
      0000:03:00.0  256    Ethernet
      0000:04:00.0  256    Other
      "
    `);
    expect(stderr).toContain('Choose one');
    const { stdout: json } = await run(fakeHost(), `guest-view --from ${file('many.txt')} 04:00.0 --json`);
    expect(parse(json)).toMatchObject({ view: { sbdf: '0000:04:00.0', domid: null } });
    const missing = await run(fakeHost(), `guest-view --from ${file('many.txt')} 05:00.0`);
    expect(missing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Did you mean') as string });
  });

  test.each([
    ['bad.txt', 1, /Line 2, column 8: "8x" is no byte/, /lspci -vnnxxxx/],
    ['none.txt', 3, /there is no such file/, /Look at the name/],
  ])('%s is an error with a next step', async (name, exitCode, message, next) => {
    const result = await run(fakeHost(), `guest-view --from ${file(name)}`);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(next);
  });

  test('a file with no end is not read to it', async () => {
    const { exitCode, stderr } = await run(fakeHost(), 'guest-view --from /dev/zero');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('more than');
  });
});

test('words that do not belong are refused', async () => {
  for (const line of ['guest-view', 'guest-view a b c', 'guest-view 5 03:00.0 --from x']) {
    expect((await run(fakeHost(), line)).exitCode).toBe(2);
  }
});
