import { expect, test } from 'vitest';
import { attach, guestView } from '../../src/xen/index.js';
import { fakeNetworkCard } from '../../src/xen/testing/index.js';
import { CARD, failure, hostWith, readyHost } from './hosts.js';

/** A type 0 header, 8086:10d3. */
function header(command: number): Uint8Array {
  const config = new Uint8Array(256);
  const view = new DataView(config.buffer);
  view.setUint32(0, 0x10d3_8086, true);
  view.setUint16(4, command, true);
  view.setUint32(0x10, 0xfe84_0000, true);
  return config;
}

test('sets guest and host side by side, register by register, whoever has the device', async () => {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  host.models.functionView = { guest: header(0x0407), host: header(0x0006), bars: [], vectors: [] };
  const { registers } = await guestView(host, { device: CARD });
  expect(registers[0]).toMatchObject({
    offset: 0,
    width: 2,
    group: 'Header',
    name: 'vendorId',
    guest: 0x8086,
    host: 0x8086,
    differs: false,
  });
  expect(registers.filter(({ differs }) => differs)).toMatchObject([
    {
      offset: 4,
      name: 'command',
      guest: 0x0407,
      host: 0x0006,
      bits: '.....wwwRwDDDWww',
      why: expect.stringMatching(/keeps decoding/) as string,
    },
  ]);
});

test('goes by the rules that the model tells, and says what the operator opened', async () => {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  const rule = { virtual: 0, reset: 0, shadowWrite: 0, hardwareWrite: 0, rw1c: 0, notify: 0 };
  const words = Array.from({ length: 64 }, (_, index) => ({ index, rule, deniable: 0 }));
  words[0x10] = { index: 0x10, rule: { ...rule, hardwareWrite: 0xff }, deniable: 0 };
  const opened = { permissive: false, allow: ['device-specific@0x40+0:0xff'], rom: 'none', romBytes: 0 } as const;
  const hidden = [{ offset: 0x60, id: 0x0c, name: 'Hot-Plug', reason: 'it belongs to bridges' }];
  host.models.functionView = { guest: header(6), host: header(6), bars: [], vectors: [], words, hidden, opened };
  const report = await guestView(host, { device: CARD });
  expect(report.opened).toEqual(opened);
  expect(report.hidden).toEqual(hidden);
  expect(report.areas[0]?.opened).toEqual([{ offset: 0x40, mask: 0xff }]);
  expect(report.registers[0]?.bits).toBe('R'.repeat(16));
});

test('shows of a device that nobody has what a guest would see, without root and without Xen', async () => {
  const config = header(6);
  const host = hostWith({ functions: [{ ...fakeNetworkCard, config }], isRoot: false, xen: false });
  const report = await guestView(host, { device: CARD });
  expect(report).toMatchObject({ domid: null, guestSbdf: null, sbdf: CARD, opened: null, denied: [] });
  expect(report.registers.find(({ name }) => name === 'bar0')).toMatchObject({ host: 0xfe84_0000, guest: 0 });
  await expect(guestView(host, { device: '04:00.0' })).rejects.toMatchObject({ code: 'XENPT_NO_SUCH_DEVICE' });
});

test('asks the model of the guest', async () => {
  const host = await readyHost();
  await attach(host, { domain: '5', spec: CARD });
  host.models.functionView = {
    guest: header(6),
    host: header(6),
    bars: [{ index: 0, kind: 'memory', guestAddress: 0xf000_0000n, mapped: true, refusal: null, rounds: 2 }],
    vectors: [{ index: 0, bound: true, pirq: 54, masked: false }],
  };
  expect(await guestView(host, { domain: 'guest5', device: '03:00.0' })).toMatchObject({
    domid: 5,
    guestSbdf: '0000:00:05.0',
    bars: [{ guestAddress: 0xf000_0000n, rounds: 2 }],
    vectors: [{ pirq: 54 }],
  });
});

test('says when the device is not attached and when the model is gone', async () => {
  const host = await readyHost();
  expect(await failure(guestView(host, { domain: '5', device: CARD }))).toMatchObject({ code: 'XENPT_NOT_ATTACHED' });
  await attach(host, { domain: '5', spec: CARD });
  host.models.kill(5);
  expect(await failure(guestView(host, { domain: '5', device: CARD }))).toMatchObject({
    code: 'XENPT_MODEL_NOT_RUNNING',
  });
});
